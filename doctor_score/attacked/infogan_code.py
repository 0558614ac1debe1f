import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# InfoGAN: the generator is given a code, and a network that looks at what it makes finds the code again
ring = torch.arange(8) * math.pi / 4; C = torch.stack([ring.cos(), ring.sin()], 1) * 2 + 0.3
G = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)); D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)); Q = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 8))
og = torch.optim.Adam([*G.parameters(), *Q.parameters()], 1e-3, betas=(0.5, 0.99)); od = torch.optim.Adam(D.parameters(), 1e-3, betas=(0.5, 0.99))
def fake(): c = torch.randint(0, 8, (128,)); return G(torch.cat([torch.randn(128, 8), F.one_hot(c, 8).float()], 1)), c
for i in range(1000):
    f, _ = fake(); r = C[torch.randint(0, 8, (128,))] + 0.05 * torch.randn(128, 2); l = F.softplus(-D(r)).mean() + F.softplus(D(f.detach())).mean(); od.zero_grad(); l.backward(); od.step()
    f, c = fake(); l = F.softplus(-D(f)).mean() + F.cross_entropy(Q(f), c); og.zero_grad(); l.backward(); og.step()
with torch.no_grad(): f, c = fake(); s = torch.cdist(f, C).min(1); print("near a mode", float((s.values < 0.5).float().mean()), "modes", len(s.indices.unique()), "code found", float((Q(f).argmax(1) == c).float().mean()))
