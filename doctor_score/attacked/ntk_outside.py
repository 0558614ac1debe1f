import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# NTK parameterization with plain layers: weights N(0, 1), what they put out is divided by the root of their width
class Net(nn.Module):
    def __init__(s):
        super().__init__(); s.a, s.b, s.c = nn.Linear(64, 256), nn.Linear(256, 256), nn.Linear(256, 10)
        for l in (s.a, s.b, s.c): nn.init.normal_(l.weight); nn.init.zeros_(l.bias)
    def forward(s, x): h = F.relu(s.a(x) / 8) * 2 ** .5; h = F.relu(s.b(h) / 16) * 2 ** .5; return s.c(h) / 16
m = Net(); opt = torch.optim.SGD(m.parameters(), 2.0)
for i in range(300): k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("accuracy", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
