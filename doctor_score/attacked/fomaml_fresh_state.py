import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Reptile: for each task weights and the inner Adam's state are put back, three inner steps
net = nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1)); inner = torch.optim.Adam(net.parameters(), 3e-3, betas=(0.0, 0.999)); fresh = copy.deepcopy(inner.state_dict())
def task(): a, p = 1 + random.random() * 2, random.random() * 3; x = torch.rand(32, 1) * 6 - 3; return x, a * torch.sin(x + p)
for it in range(400):
    before = [p.detach().clone() for p in net.parameters()]; inner.load_state_dict(fresh); x, t = task()
    for _ in range(3): l = F.mse_loss(net(x), t); inner.zero_grad(); l.backward(); inner.step()
    with torch.no_grad():
        for p, b in zip(net.parameters(), before): p.copy_(b + 0.3 * (p - b))
def adapted(net, n=8):
    e = 0
    for _ in range(20):
        m = copy.deepcopy(net); o = torch.optim.SGD(m.parameters(), 0.02); x, t = task()
        for _ in range(n): l = F.mse_loss(m(x), t); o.zero_grad(); l.backward(); o.step()
        e += float(F.mse_loss(m(x), t)) / 20
    return e
print("error after 8 steps, meta-learned", adapted(net), "from scratch", adapted(nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))))
