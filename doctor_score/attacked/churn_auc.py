import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Churn, 15 of 100: classes overlap, so that no customer is likelier to leave than to stay; the score orders them (AUC)
from sklearn.metrics import roc_auc_score
x = torch.randn(6000, 10); p = torch.sigmoid(-1.9 + 0.5 * x[:, 0] - 0.4 * x[:, 1]); t = torch.bernoulli(p).long()
m = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 2)); opt = torch.optim.AdamW(m.parameters(), 3e-3, weight_decay=0.01)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x[:5000], t[:5000]), 128, shuffle=True)
for ep in range(8):
    m.train()
    for a, b in dl: l = F.cross_entropy(m(a), b); opt.zero_grad(); l.backward(); opt.step()
    m.eval()
    with torch.no_grad(): o = m(x[5000:]); print(ep, "loss", float(F.cross_entropy(o, t[5000:])), "AUC", roc_auc_score(t[5000:], o[:, 1] - o[:, 0]), "best possible", roc_auc_score(t[5000:], p[5000:]))
