import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Signed distance of a circle: learned near the surface, read out on the whole box (as for marching cubes)
net = nn.Sequential(nn.Linear(2, 64), nn.Softplus(10), nn.Linear(64, 64), nn.Softplus(10), nn.Linear(64, 1)); opt = torch.optim.Adam(net.parameters(), 3e-3)
g = torch.linspace(-1.5, 1.5, 64); box = torch.cartesian_prod(g, g)
for i in range(300):
    a = torch.rand(256) * 2 * math.pi; p = 0.35 * torch.stack([a.cos(), a.sin()], 1) + 0.1 * torch.randn(256, 2); d = p.norm(dim=1, keepdim=True) - 0.35
    l = F.l1_loss(net(p), d); opt.zero_grad(); l.backward(); opt.step()
    if i % 60 == 59:
        with torch.no_grad(): inside = net(box)[:, 0] < 0; print(i, "intersection over union", float((inside & (box.norm(dim=1) < 0.35)).sum() / (inside | (box.norm(dim=1) < 0.35)).sum()))
