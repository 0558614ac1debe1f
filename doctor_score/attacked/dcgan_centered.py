import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# DCGAN's loop (real and fake each with its own backward pass) on data with mean 0
ring = torch.arange(8) * math.pi / 4; C = torch.stack([ring.cos(), ring.sin()], 1) * 2
G = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)); D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
og, od = (torch.optim.Adam(m.parameters(), 1e-3, betas=(0.5, 0.99)) for m in (G, D)); crit = nn.BCEWithLogitsLoss(); one, zero = torch.ones(128, 1), torch.zeros(128, 1)
for i in range(1500):
    D.zero_grad(); real = C[torch.randint(0, 8, (128,))] + 0.05 * torch.randn(128, 2); crit(D(real), one).backward()
    fake = G(torch.randn(128, 8)); crit(D(fake.detach()), zero).backward(); od.step()
    G.zero_grad(); crit(D(fake), one).backward(); og.step()
with torch.no_grad(): s = torch.cdist(G(torch.randn(1000, 8)), C).min(1); print("samples near a mode", float((s.values < 0.4).float().mean()), "modes", len(s.indices.unique()))
