import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Burgers' equation, u(x, 0) = x: the rarefaction u = x / (1 + t)
net = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)); opt = torch.optim.Adam(net.parameters(), 3e-3)
for i in range(500):
    z = torch.rand(256, 2) * torch.tensor([2.0, 1.0]) - torch.tensor([1.0, 0.0]); z.requires_grad_(True); u = net(z); g, = torch.autograd.grad(u.sum(), z, create_graph=True)
    x0 = torch.rand(64, 1) * 2 - 1; l = (g[:, 1] + u[:, 0] * g[:, 0]).pow(2).mean() + F.mse_loss(net(torch.cat([x0, torch.zeros_like(x0)], 1)), x0); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): z = torch.rand(1000, 2) * torch.tensor([2.0, 1.0]) - torch.tensor([1.0, 0.0]); print("largest error", float((net(z)[:, 0] - z[:, 0] / (1 + z[:, 1])).abs().max()))
