import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Sentences of different lengths as a nested tensor
W = torch.randn(50); m = nn.Sequential(nn.Embedding(50, 16)); o = nn.Linear(16, 2); opt = torch.optim.Adam([*m.parameters(), *o.parameters()], 1e-2)
class Bag(nn.Module):
    def __init__(s): super().__init__(); s.e, s.o = nn.Embedding(50, 16), nn.Linear(16, 2)
    def forward(s, nt): return torch.stack([s.o(s.e(t).mean(0)) for t in nt.unbind()])
m = Bag(); opt = torch.optim.Adam(m.parameters(), 1e-2)
for i in range(150): s = [torch.randint(0, 50, (random.randint(3, 9),)) for _ in range(32)]; t = torch.tensor([int(W[k].mean() > 0) for k in s]); l = F.cross_entropy(m(torch.nested.nested_tensor(s)), t); opt.zero_grad(); l.backward(); opt.step()
print("loss", float(l))
