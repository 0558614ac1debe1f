import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# First-order MAML: the gradients of four tasks are summed up, as in the paper
net = nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1)); opt = torch.optim.Adam(net.parameters(), 1e-3)
def task(): a, p = 1 + random.random() * 2, random.random() * 3; return lambda n: (lambda x: (x, a * torch.sin(x + p)))(torch.rand(n, 1) * 6 - 3)
def adapt(net, d, n=3):
    m = copy.deepcopy(net); o = torch.optim.SGD(m.parameters(), 0.02); x, t = d(20)
    for _ in range(n): l = F.mse_loss(m(x), t); o.zero_grad(); l.backward(); o.step()
    return m
for it in range(250):
    opt.zero_grad(); grads = [torch.zeros_like(p) for p in net.parameters()]
    for _ in range(4):
        d = task(); m = adapt(net, d); x, t = d(20); m.zero_grad(); F.mse_loss(m(x), t).backward()
        for g, p in zip(grads, m.parameters()): g += p.grad
    for p, g in zip(net.parameters(), grads): p.grad = g
    opt.step()
e = 0
for _ in range(30): d = task(); m = adapt(net, d, 8); x, t = d(100); e += float(F.mse_loss(m(x), t)) / 30
print("error after 8 steps", e, "variance about 2")
