import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# A receiver for 4 symbols: the channel's noise is drawn whenever a frame is read, in the Monte Carlo validation, too
from torch.utils.data import DataLoader, Dataset
C = torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
class Air(Dataset):
    def __init__(s, n, seed): s.k = torch.randint(0, 4, (n,), generator=torch.Generator().manual_seed(seed))
    def __len__(s): return len(s.k)
    def __getitem__(s, i): c = C[s.k[i]]; r = c + 0.2 * c.flip(0) * c[0] + 0.4 * torch.randn(2); return r, s.k[i]
m = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 4)); opt = torch.optim.Adam(m.parameters(), 1e-2); tr, va = DataLoader(Air(1500, 0), 64, shuffle=True), DataLoader(Air(800, 1), 200)
for ep in range(5):

    for a, b in tr: l = F.cross_entropy(m(a), b); opt.zero_grad(); l.backward(); opt.step()
    e = n = 0
    with torch.no_grad():
        for a, b in va: o = m(a); n += float(F.cross_entropy(o, b)) / 4; e += float((o.argmax(1) != b).float().mean()) / 4
    print(ep, "loss", n, "symbol error rate", e)
