import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# A VAE for a table (as TVAE): columns of categories go in one-hot, and come out by cross-entropy
n = 4000; c1 = torch.randint(0, 4, (n,)); c2 = (c1 + torch.randint(0, 2, (n,))) % 3; num = torch.randn(n, 2) * 0.5 + c1[:, None] - 1.5; x = torch.cat([num, F.one_hot(c1, 4).float(), F.one_hot(c2, 3).float()], 1)
class VAE(nn.Module):
    def __init__(s): super().__init__(); s.e = nn.Sequential(nn.Linear(9, 64), nn.ReLU(), nn.Linear(64, 8)); s.d = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 9))
    def forward(s, x): m, v = s.e(x).chunk(2, 1); o = s.d(m + torch.randn_like(m) * (v / 2).exp()); return o[:, :2], o[:, 2:6], o[:, 6:], 0.5 * (v.exp() + m ** 2 - 1 - v).sum(1).mean()
m = VAE(); opt = torch.optim.Adam(m.parameters(), 2e-3)
for i in range(500):
    k = torch.randint(0, n, (128,)); a, b, c, kl = m(x[k]); l = F.mse_loss(a, num[k]) * 4 + F.cross_entropy(b, c1[k]) + F.cross_entropy(c, c2[k]) + 0.1 * kl; opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): o = m.d(torch.randn(3000, 4)); s1, s2 = o[:, 2:6].argmax(1), o[:, 6:].argmax(1); print("possible pairs among samples", float((((s2 - s1 % 3) % 3 == 0) | ((s2 - (s1 + 1) % 3) % 3 == 0)).float().mean()), "shares", s1.bincount(minlength=4).tolist())
