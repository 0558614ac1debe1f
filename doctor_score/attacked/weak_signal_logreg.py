import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Logistic regression from zeros on a weak signal (next day's direction)
from sklearn.metrics import roc_auc_score
x = torch.randn(20000, 20); p = torch.sigmoid(x @ (0.06 * torch.randn(20))); t = torch.bernoulli(p); m = nn.Linear(20, 1); nn.init.zeros_(m.weight); nn.init.zeros_(m.bias); opt = torch.optim.Adam(m.parameters(), 1e-3)
for ep in range(4):
    for k in torch.randperm(16000).split(64): l = F.binary_cross_entropy_with_logits(m(x[k])[:, 0], t[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("AUC", roc_auc_score(t[16000:], m(x[16000:])[:, 0]), "best possible", roc_auc_score(t[16000:], p[16000:]))
