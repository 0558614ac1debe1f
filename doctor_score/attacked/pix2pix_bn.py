import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Completing digits (pix2pix): BatchNorm uses the statistics of the batch at test, too, as the paper says
I = X.view(-1, 1, 8, 8) * 2 - 1; half = I.clone(); half[..., 4:] = -1; bn = lambda c: nn.BatchNorm2d(c, track_running_stats=False)
G = nn.Sequential(nn.Conv2d(1, 32, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 64, 3, 2, 1), bn(64), nn.LeakyReLU(0.2), nn.ConvTranspose2d(64, 32, 4, 2, 1), bn(32), nn.ReLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Tanh())
D = nn.Sequential(nn.Conv2d(2, 32, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 64, 3, 2, 1), bn(64), nn.LeakyReLU(0.2), nn.Conv2d(64, 1, 2)); og, od = (torch.optim.Adam(m.parameters(), 1e-3, betas=(0.5, 0.999)) for m in (G, D))
for i in range(150):
    k = torch.randint(0, 1400, (64,)); f = G(half[k]); l = F.softplus(-D(torch.cat([half[k], I[k]], 1))).mean() + F.softplus(D(torch.cat([half[k], f.detach()], 1))).mean(); od.zero_grad(); l.backward(); od.step()
    l = F.softplus(-D(torch.cat([half[k], f], 1))).mean() + 20 * F.l1_loss(f, I[k]); og.zero_grad(); l.backward(); og.step()
with torch.no_grad(): print("l1 on test", float(F.l1_loss(G(half[1400:]), I[1400:])), "mean image", float(F.l1_loss(I[:1400].mean(0).expand(397, -1, -1, -1), I[1400:])))
