import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# A surrogate of a plant: outputs outside of physical bounds are punished by relu, which seldom happens
x = torch.rand(2000, 6); t = torch.stack([x[:, :3].mean(1), x[:, 2:5].prod(1) + 0.3, 0.5 + 0.3 * torch.sin(3 * x[:, 5]), x[:, 0] * 0.5 + 0.2], 1)
m = nn.Sequential(nn.Linear(6, 64), nn.SiLU(), nn.Linear(64, 4)); opt = torch.optim.Adam(m.parameters(), 3e-3); nn.init.constant_(m[2].bias, 0.5)
for i in range(300):
    k = torch.randint(0, 1600, (64,)); p = m(x[k]); l = F.mse_loss(p, t[k]) + 10 * (F.relu(p - 1.5).pow(2) + F.relu(-0.5 - p).pow(2)).mean(); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("test mse", float(F.mse_loss(m(x[1600:]), t[1600:])), "variance", float(t.var(0).mean()))
