import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Self-distillation: the student begins at the teacher's weights, with an optimizer of the same settings
m = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)); opt = torch.optim.Adam(m.parameters(), 1e-3)
for i in range(60): k = torch.randint(0, 300, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
s = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)); s.load_state_dict(m.state_dict()); opt = torch.optim.Adam(s.parameters(), 1e-3)
for i in range(300):
    k, u = torch.randint(0, 300, (64,)), torch.randint(0, 1400, (64,))
    with torch.no_grad(): t = m(X[u]).softmax(1)
    l = F.cross_entropy(s(X[k]), y[k]) + F.cross_entropy(s(X[u] + 0.1 * torch.randn(64, 64)), t); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("accuracy", [float((n(X[1400:]).argmax(1) == y[1400:]).float().mean()) for n in (m, s)])
