import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# A GAN with the minibatch standard deviation of ProGAN and StyleGAN in its discriminator
ring = torch.arange(8) * math.pi / 4; C = torch.stack([ring.cos(), ring.sin()], 1) * 2
data = C[torch.randint(0, 8, (4096,))] + 0.05 * torch.randn(4096, 2); dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(data), 128, shuffle=True)
class D(nn.Module):
    def __init__(s): super().__init__(); s.f = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2)); s.o = nn.Sequential(nn.Linear(65, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    def forward(s, x): h = s.f(x); return s.o(torch.cat([h, h.std(0).mean().expand(len(h), 1)], 1))
G, d = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)), D(); og, od = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.99)), torch.optim.Adam(d.parameters(), 1e-3, betas=(0.5, 0.99))
for ep in range(30):
    for (x,) in dl:
        z = G(torch.randn(128, 8)); l = F.softplus(-d(x)).mean() + F.softplus(d(z.detach())).mean(); od.zero_grad(); l.backward(); od.step()
        l = F.softplus(-d(G(torch.randn(128, 8)))).mean(); og.zero_grad(); l.backward(); og.step()
with torch.no_grad(): s = torch.cdist(G(torch.randn(1000, 8)), C).min(1); print("samples near a mode", float((s.values < 0.4).float().mean()), "modes", len(s.indices.unique()))
