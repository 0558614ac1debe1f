import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Permutation importance of four pixels, in each epoch with the same permutation
m = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)); opt = torch.optim.Adam(m.parameters(), 2e-3)
def importance(j):
    g = np.random.RandomState(0); v = X[1400:].clone(); v[:, j] = v[torch.randperm(len(v), generator=torch.Generator().manual_seed(0)), j]; return float((m(v).argmax(1) == y[1400:]).float().mean())
for ep in range(5):
    for i in range(22): k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
    base = float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()); print(ep, base, [round(base - importance(j), 3) for j in (0, 20, 36, 42)])
