import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Bayes by backprop, 1D: the plot shows how uncertainty grows away from the data
x = torch.rand(200, 1) * 2 - 1; t = torch.sin(3 * x) + 0.1 * torch.randn_like(x)
class BL(nn.Module):
    def __init__(s, i, o): super().__init__(); s.m = nn.Parameter(torch.randn(o, i) / i ** .5); s.r = nn.Parameter(torch.full((o, i), -4.)); s.b = nn.Parameter(torch.zeros(o))
    def forward(s, x): return F.linear(x, s.m + F.softplus(s.r) * torch.randn_like(s.r), s.b)
    def kl(s): v = F.softplus(s.r) ** 2; return 0.5 * (v + s.m ** 2 - 1 - v.log()).sum()
m = nn.Sequential(BL(1, 32), nn.Tanh(), BL(32, 1)); opt = torch.optim.Adam(m.parameters(), 1e-2); wide = torch.linspace(-6, 6, 800)[:, None]
for i in range(600):
    e = F.mse_loss(m(x), t); l = e / (2 * 0.01) * 200 + m[0].kl() + m[2].kl(); opt.zero_grad(); l.backward(); opt.step()
    if i % 200 == 199:
        with torch.no_grad(): s = torch.stack([m(wide) for _ in range(20)]).std(0)[:, 0]; print(i, "std inside", float(s[wide[:, 0].abs() < 1].mean()), "outside", float(s[wide[:, 0].abs() > 4].mean()), "mse", float(e))
