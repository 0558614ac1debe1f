import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# The frozen base is kept in float16, a head in float32 is trained on it
class Net(nn.Module):
    def __init__(s): super().__init__(); s.base = nn.Sequential(nn.Linear(64, 256), nn.ReLU()).half().requires_grad_(False); s.head = nn.Linear(256, 10)
    def forward(s, x): return s.head(s.base(x.half()).float())
m = Net(); opt = torch.optim.Adam(m.head.parameters(), 3e-3)
for i in range(200): k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("accuracy", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
