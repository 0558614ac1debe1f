import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# An auxiliary head whose last layer begins at zero; its loss is added after 40 steps
class Net(nn.Module):
    def __init__(s): super().__init__(); s.b = nn.Sequential(nn.Linear(64, 128), nn.ReLU()); s.h, s.aux = nn.Linear(128, 10), nn.Linear(128, 64); nn.init.zeros_(s.aux.weight); nn.init.zeros_(s.aux.bias)
    def forward(s, x): h = s.b(x); return s.h(h), s.aux(h)
m = Net(); opt = torch.optim.Adam(m.parameters(), 2e-3)
for i in range(300):
    k = torch.randint(0, 1400, (64,)); p, r = m(X[k]); l = F.cross_entropy(p, y[k])
    if i >= 40: l = l + F.mse_loss(r, X[k])
    opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): p, r = m(X[1400:]); print("accuracy", float((p.argmax(1) == y[1400:]).float().mean()), "reconstruction", float(F.mse_loss(r, X[1400:])))
