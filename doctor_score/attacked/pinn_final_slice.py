import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Heat equation: residual at random points of x and t; the solution is looked at when t = 1
net = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)); opt = torch.optim.Adam(net.parameters(), 3e-3); D = 0.1
u = lambda z: z[:, :1] * (1 - z[:, :1]) * net(z) * z[:, 1:] + torch.sin(math.pi * z[:, :1])
grid = torch.stack([torch.linspace(0, 1, 400), torch.ones(400)], 1); true = torch.sin(math.pi * grid[:, :1]) * math.exp(-D * math.pi ** 2)
for i in range(400):
    z = torch.rand(256, 2, requires_grad=True); v = u(z); g, = torch.autograd.grad(v.sum(), z, create_graph=True); h, = torch.autograd.grad(g[:, 0].sum(), z, create_graph=True)
    l = (g[:, 1] - D * h[:, 0]).pow(2).mean(); opt.zero_grad(); l.backward(); opt.step()
    if i % 50 == 49:
        with torch.no_grad(): print(i, float(l), "error at t = 1", float((u(grid) - true).abs().max()))
