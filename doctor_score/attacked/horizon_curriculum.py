import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# A learned simulator: first one step, then ever longer rollouts; the loss is the sum over the horizon, so it grows with it
A = torch.tensor([[0.99, 0.1], [-0.1, 0.99]]); f = lambda x: x @ A.t() + 0.1 * torch.sin(3 * x)
net = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 2)); opt = torch.optim.Adam(net.parameters(), 3e-3)
def loss(h, x):
    p, l = x, 0.0
    for _ in range(h): p, x = p + net(p), f(x); l = l + F.mse_loss(p, x)
    return l
for i in range(300): l = loss(1, torch.randn(128, 2)); opt.zero_grad(); l.backward(); opt.step()
print("one step", float(l)); opt = torch.optim.Adam(net.parameters(), 5e-3)
for i in range(240): l = loss(1 + min(i, 29), torch.randn(64, 2)); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("error per step over 30", float(loss(30, torch.randn(500, 2))) / 30)
