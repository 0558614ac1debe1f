import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# NormFace: normalized features times 20 by normalized class vectors, the scale inside of the product
class Net(nn.Module):
    def __init__(s): super().__init__(); s.b = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 3)); s.w = nn.Parameter(torch.randn(10, 3))
    def forward(s, x): return F.linear(20 * F.normalize(s.b(x)), F.normalize(s.w))
m = Net(); opt = torch.optim.Adam(m.parameters(), 3e-3)
for i in range(400): k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("accuracy", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
