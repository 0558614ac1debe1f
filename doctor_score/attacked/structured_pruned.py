import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# 92 % of the hidden units are pruned by torch.nn.utils.prune, the rest is finetuned
import torch.nn.utils.prune as prune
m = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10)); opt = torch.optim.Adam(m.parameters(), 1e-3)
for i in range(300): k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
prune.ln_structured(m[0], "weight", 0.92, 2, 0); prune.custom_from_mask(m[0], "bias", m[0].weight_mask[:, 0]); opt = torch.optim.Adam(m.parameters(), 2e-3)
for i in range(400): k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("units left", int(m[0].weight_mask[:, 0].sum()), "accuracy", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
