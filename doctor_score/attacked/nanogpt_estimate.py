import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# nanoGPT's estimate_loss: every 10 steps the mean loss of random batches of both splits
Xa = torch.cat([X[:1400] + 0.05 * torch.randn(1400, 64) for _ in range(5)]); ya = y[:1400].repeat(5); split = {"train": (Xa, ya), "val": (X[1400:], y[1400:])}
m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 10)); opt = torch.optim.AdamW(m.parameters(), 2e-3)
def get_batch(name, n=32): a, b = split[name]; k = torch.randint(len(a), (n,)); return a[k], b[k]
@torch.no_grad()
def estimate_loss():
    m.eval(); out = {name: sum(float(F.cross_entropy(m(a), b)) for a, b in (get_batch(name) for _ in range(10))) / 10 for name in split}; m.train(); return out
for i in range(300):
    if i % 20 == 0: print(i, estimate_loss())
    a, b = get_batch("train"); l = F.cross_entropy(m(a), b); opt.zero_grad(); l.backward(); opt.step()
