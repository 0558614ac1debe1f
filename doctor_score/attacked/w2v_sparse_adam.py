import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Skip-gram with negative sampling, large tables, SparseAdam at its usual rate
V = 30000; group = torch.arange(V) % 50; perm = torch.argsort(group)
inp, out = nn.Embedding(V, 64, sparse=True), nn.Embedding(V, 64, sparse=True); nn.init.zeros_(out.weight)
opt = torch.optim.SparseAdam([*inp.parameters(), *out.parameters()], lr=1e-3)
def pairs(n): c = (torch.randn(n).abs() * V / 60).long().clamp(max=V - 1); g = group[c]; o = (torch.randn(n).abs() * V / 3000).long().clamp(max=V // 50 - 1) * 50 + g; return c, o
for i in range(700):
    c, o = pairs(1024); n = (torch.randn(1024, 5).abs() * V / 60).long().clamp(max=V - 1); e = inp(c)
    l = -(F.logsigmoid((e * out(o)).sum(1)) + F.logsigmoid(-(out(n) @ e[:, :, None]).squeeze(2)).sum(1)).mean(); opt.zero_grad(); l.backward(); opt.step()
    if i % 100 == 99: print(i, "loss", float(l))
