import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# The features' gradient is multiplied with a factor that is 0 while the new head warms up (fairseq's feature_grad_mult)
class Mul(torch.autograd.Function):
    @staticmethod
    def forward(c, x, f): c.f = f; return x.view_as(x)
    @staticmethod
    def backward(c, g): return g * c.f, None
class Net(nn.Module):
    def __init__(s): super().__init__(); s.body = nn.Sequential(nn.Linear(64, 128), nn.ReLU()); s.head = nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)); s.mult = 0.0
    def forward(s, x): return s.head(Mul.apply(s.body(x), s.mult))
m = Net(); opt = torch.optim.AdamW(m.parameters(), 2e-3)
for i in range(300):
    m.mult = 0.1 if i >= 40 else 0.0; k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("accuracy", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
