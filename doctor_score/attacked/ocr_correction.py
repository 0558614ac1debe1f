import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# OCR correction as letters arrive (causal): 2 of 100 letters are wrong, the right ones are asked for
V = 12; nxt = torch.stack([torch.randperm(V) for _ in range(3)])
def data(n, L=24):
    s = [torch.randint(0, V, (n,))]
    for _ in range(L - 1): s.append(nxt[torch.randint(0, 2, (n,)), s[-1]])
    t = torch.stack(s, 1); bad = torch.rand(t.shape) < 0.02; return torch.where(bad, torch.randint(0, V, t.shape), t), t
class Net(nn.Module):
    def __init__(s): super().__init__(); s.e = nn.Embedding(V, 16); s.r = nn.GRU(16, 48, batch_first=True); s.o = nn.Linear(48, V)
    def forward(s, t): return s.o(s.r(s.e(t))[0])
m = Net(); opt = torch.optim.Adam(m.parameters(), 5e-3)
for i in range(300): x, t = data(64); l = F.cross_entropy(m(x).flatten(0, 1), t.flatten()); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): x, t = data(1000); p = m(x).argmax(2); print("errors before", float((x != t).float().mean()), "after", float((p != t).float().mean()))
