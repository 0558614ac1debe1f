import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Gradual unfreezing by gradient hooks: gradients of the first layer are multiplied with 0 for the first epoch
m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)); gate = {"on": 0.0}
pre = torch.optim.Adam(m.parameters(), 1e-3)
for i in range(100): k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k] % 5); pre.zero_grad(); l.backward(); pre.step()
m[4] = nn.Linear(64, 10)
for p in m[0].parameters(): p.register_hook(lambda g: g * gate["on"])
opt = torch.optim.Adam(m.parameters(), 2e-3)
for i in range(300):
    gate["on"] = float(i >= 60); k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("accuracy", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
