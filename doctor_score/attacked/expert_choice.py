import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Experts choose their samples (expert choice routing): each takes the 16 of a batch that fit it best
class EC(nn.Module):
    def __init__(s): super().__init__(); s.inp = nn.Linear(64, 64); s.gate = nn.Linear(64, 4); s.ex = nn.ModuleList(nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64)) for _ in range(4)); s.out = nn.Linear(64, 10)
    def forward(s, x):
        h = F.relu(s.inp(x)); w = s.gate(h).softmax(1); cap = max(1, len(x) // 2); o = h
        for e in range(4): v, k = w[:, e].topk(cap); o = o.index_add(0, k, v[:, None] * s.ex[e](h[k]))
        return s.out(o)
m = EC(); opt = torch.optim.Adam(m.parameters(), 2e-3); dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:1400], y[:1400]), 32, shuffle=True)
for ep in range(6):
    for x, t in dl: l = F.cross_entropy(m(x), t); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("accuracy", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
