import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Two tasks of one network, weighted by the inverse of their gradients' norms: each goes backward alone first, then both
x = torch.randn(2000, 8); t1, t2 = x[:, :3].sum(1, keepdim=True).tanh(), 20 * x[:, 2:4].prod(1, keepdim=True).tanh()
class Net(nn.Module):
    def __init__(s): super().__init__(); s.b = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU()); s.h1, s.h2 = nn.Linear(32, 1), nn.Linear(32, 1)
    def forward(s, x): h = s.b(x); return s.h1(h), s.h2(h)
m = Net(); opt = torch.optim.Adam(m.parameters(), 3e-3)
for i in range(600):
    k = torch.randint(0, 1600, (64,)); a, c = m(x[k]); ls = [F.mse_loss(a, t1[k]), F.mse_loss(c, t2[k])]; ns = []
    for l in ls: opt.zero_grad(); l.backward(retain_graph=True); ns.append(float(torch.cat([p.grad.flatten() for p in m.b.parameters()]).norm()) + 1e-3)
    opt.zero_grad(); sum(l / n for l, n in zip(ls, ns)).backward(); opt.step()
with torch.no_grad(): print("explained", [1 - float(F.mse_loss(p, t[1600:]) / t.var()) for p, t in zip(m(x[1600:]), (t1, t2))])
