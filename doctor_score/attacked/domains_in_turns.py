import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Encoders for three sensors, one each step; gradients are set to zeros, not to None
B = [torch.randn(d, 4) for d in (6, 10, 14)]; W = torch.randn(4, 3)
class Net(nn.Module):
    def __init__(s): super().__init__(); s.enc = nn.ModuleList(nn.Sequential(nn.Linear(d, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU()) for d in (6, 10, 14)); s.head = nn.Linear(16, 3)
    def forward(s, x, d): return s.head(s.enc[d](x))
m = Net(); opt = torch.optim.SGD(m.parameters(), 0.1, momentum=0.9)
def data(d, n=64): z = torch.randn(n, 4); return z @ B[d].t() / 2, (z @ W).argmax(1)
for i in range(450):
    x, t = data(i % 3); l = F.cross_entropy(m(x, i % 3), t); opt.zero_grad(set_to_none=False); l.backward(); opt.step()
with torch.no_grad(): print("accuracy", [float((m(x, d).argmax(1) == t).float().mean()) for d in range(3) for x, t in [data(d, 1000)]])
