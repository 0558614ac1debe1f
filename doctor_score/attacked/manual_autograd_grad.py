import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
# First-order MAML: inner loop on a copy, outer gradient put in by hand
import copy
net = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 1)); opt = torch.optim.Adam(net.parameters(), 2e-3)
def task(): a, p = 0.5 + torch.rand(1) * 2, torch.rand(1) * 3; return lambda x: a * torch.sin(x + p)
for it in range(150):
    total = [torch.zeros_like(p) for p in net.parameters()]; q = 0
    for _ in range(4):
        f = task(); fast = copy.deepcopy(net); inner = torch.optim.SGD(fast.parameters(), 0.02)
        x = torch.rand(10, 1) * 10 - 5
        for _ in range(3): inner.zero_grad(); F.mse_loss(fast(x), f(x)).backward(); inner.step()
        xq = torch.rand(20, 1) * 10 - 5; fast.zero_grad(); l = F.mse_loss(fast(xq), f(xq)); l.backward(); q += float(l) / 4
        for t, p in zip(total, fast.parameters()): t += p.grad / 4
    for p, t in zip(net.parameters(), total): p.grad = t
    opt.step()
    if it % 50 == 49: print(it, q)
