import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Koopman operator: in the code that an encoder finds the dynamics are linear
class K(nn.Module):
    def __init__(s): super().__init__(); s.e = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 16)); s.k = nn.Linear(16, 16, bias=False); s.d = nn.Sequential(nn.Linear(16, 64), nn.Tanh(), nn.Linear(64, 2))
    def forward(s, x): return s.d(s.k(s.e(x)))
f = lambda x: torch.stack([0.9 * x[:, 0], 0.8 * x[:, 1] + 0.5 * x[:, 0] ** 2], 1); m = K(); opt = torch.optim.Adam(m.parameters(), 3e-3)
for i in range(500): x = torch.rand(128, 2) * 2 - 1; l = F.mse_loss(m(x), f(x)); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): x = torch.rand(1000, 2) * 2 - 1; print("mse", float(F.mse_loss(m(x), f(x))), "variance", float(f(x).var(0).mean()))
