import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# A classifier by squared distances to learned prototypes
class Proto(nn.Module):
    def __init__(s): super().__init__(); s.b = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 16)); s.c = nn.Parameter(torch.randn(10, 16))
    def forward(s, x): return -(s.b(x)[:, None] - s.c).pow(2).sum(2)
m = Proto(); opt = torch.optim.Adam(m.parameters(), 3e-3)
for i in range(300): k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("accuracy", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
