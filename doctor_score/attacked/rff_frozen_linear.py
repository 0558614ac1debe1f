import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Random Fourier features: the first layer is random and stays so; the optimizer is given model.parameters()
class RFF(nn.Module):
    def __init__(s): super().__init__(); s.proj = nn.Linear(2, 200); nn.init.normal_(s.proj.weight, std=3); nn.init.uniform_(s.proj.bias, 0, 2 * math.pi); s.proj.requires_grad_(False); s.out = nn.Linear(200, 1)
    def forward(s, x): return s.out(torch.cos(s.proj(x)) * (2 / 200) ** .5)
x = torch.rand(3000, 2) * 2 - 1; t = (torch.sin(5 * x[:, :1]) * torch.cos(4 * x[:, 1:]))
m = RFF(); opt = torch.optim.Adam(m.parameters(), 1e-2)
for i in range(500):
    k = torch.randint(0, 2500, (128,)); l = F.mse_loss(m(x[k]), t[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("test mse", float(F.mse_loss(m(x[2500:]), t[2500:])), "variance", float(t.var()))
