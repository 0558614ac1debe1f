import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# A network on complex spectra in double precision
torch.manual_seed(0)
class C(nn.Module):
    def __init__(s): super().__init__(); s.w = nn.Parameter(torch.randn(32, 17, dtype=torch.complex128) / 6); s.o = nn.Linear(32, 1, dtype=torch.float64)
    def forward(s, z): return s.o((z @ s.w.t()).abs())
m = C(); opt = torch.optim.Adam(m.parameters(), 5e-3)
def data(n): f = torch.randint(1, 8, (n, 1)); t = torch.arange(32) / 32; return torch.fft.rfft(torch.sin(2 * math.pi * f * t + 6 * torch.rand(n, 1)).double() + 0.1 * torch.randn(n, 32).double()) / 8, f.double() / 8
for i in range(300): z, f = data(64); l = F.mse_loss(m(z), f); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): z, f = data(500); print("mse", float(F.mse_loss(m(z), f)), "variance", float(f.var()))
