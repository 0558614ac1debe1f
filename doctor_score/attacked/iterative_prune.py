import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Iterative magnitude pruning: after each cut a short finetuning with an optimizer of its own
m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
def train(n):
    opt = torch.optim.Adam(m.parameters(), 1e-3)
    for _ in range(n):
        k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
        with torch.no_grad():
            for p, q in masks.items(): p.mul_(q)
masks = {}; train(300)
for r in range(6):
    for p in (m[0].weight, m[2].weight):
        masks[p] = (p.detach().abs() > p.detach().abs().flatten().kthvalue(int(p.numel() * (0.2 + 0.1 * r))).values).float(); p.data.mul_(masks[p])
    train(30)
with torch.no_grad(): print("accuracy", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()), "left", float(torch.cat([q.flatten() for q in masks.values()]).mean()))
