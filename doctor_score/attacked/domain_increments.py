import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Rotated digits, 15 degrees more every 30 steps, memory of old ones; each domain begins with a new Adam
from scipy.ndimage import rotate
V = digits.images / 16; dom = [torch.tensor(rotate(V, 15 * d, axes=(1, 2), reshape=False, order=1), dtype=torch.float32).reshape(-1, 64) for d in range(5)]; m = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))
for d in range(5):
    opt = torch.optim.Adam(m.parameters(), 2e-3)
    for i in range(35):
        k = torch.randint(0, 1400, (64,)); x = torch.cat([dom[d][k]] + [dom[e][k2] for e in range(d) for k2 in [torch.randint(0, 1400, (32,))]]) if d == 0 else None
        if d: j = torch.randint(0, 300, (64,)); e = torch.randint(0, d, (64,)); x = torch.cat([dom[d][k], torch.stack([dom[int(b)][int(a)] for a, b in zip(j, e)])]); t = torch.cat([y[k], y[j]])
        else: t = y[k]
        l = F.cross_entropy(m(x), t); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("accuracy by domain", [round(float((m(v[1400:]).argmax(1) == y[1400:]).float().mean()), 3) for v in dom])
