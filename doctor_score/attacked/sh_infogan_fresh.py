import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# InfoGAN; each of the three steps makes samples of its own
class G(nn.Module):
    def __init__(self): super().__init__(); self.n = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 2))
    def forward(self, z, c): return self.n(torch.cat([z, c], 1))
class D(nn.Module):
    def __init__(self): super().__init__(); self.b = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2)); self.v, self.c = nn.Linear(32, 1), nn.Linear(32, 2)
    def forward(self, x): h = self.b(x); return self.v(h), self.c(h)
x = torch.randn(1280, 2) * 0.3 + torch.tensor([1.0, -1.0]); g, d = G(), D()
og, od = torch.optim.Adam(g.parameters(), 2e-4, (0.5, 0.999)), torch.optim.Adam(d.parameters(), 2e-4, (0.5, 0.999))
oi = torch.optim.Adam(itertools.chain(g.parameters(), d.parameters()), 2e-4, (0.5, 0.999))
def code(n): return torch.randn(n, 4), torch.rand(n, 2) * 2 - 1
for e in range(4):
    for (r,) in DataLoader(TensorDataset(x), 64, shuffle=True):
        n = len(r); one, zero = torch.ones(n, 1), torch.zeros(n, 1)
        od.zero_grad(); f = g(*code(n)).detach(); ((F.mse_loss(d(r)[0], one) + F.mse_loss(d(f)[0], zero)) / 2).backward(); od.step()
        og.zero_grad(); f = g(*code(n)); F.mse_loss(d(f)[0], one).backward(); og.step()
        oi.zero_grad(); z, c = code(n); F.mse_loss(d(g(z, c))[1], c).backward(); oi.step()
print("RESULT", f.mean(0))
