import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# a conditional GAN: labels for the fakes are drawn from the labels of the data, shuffled for themselves
y = torch.randint(0, 4, (1024,)); x = torch.tensor([[1., 1], [1, -1], [-1, 1], [-1, -1]])[y] + 0.1 * torch.randn(1024, 2)
class G(nn.Module):
    def __init__(self): super().__init__(); self.n = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))
    def forward(self, z, c): return self.n(torch.cat([z, c], 1))
class D(nn.Module):
    def __init__(self): super().__init__(); self.n = nn.Sequential(nn.Linear(6, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    def forward(self, x, c): return self.n(torch.cat([x, c], 1))
g, d = G(), D(); og, od = torch.optim.Adam(g.parameters(), 1e-3, (0.5, 0.9)), torch.optim.Adam(d.parameters(), 1e-3, (0.5, 0.9))
pairs, wanted = DataLoader(TensorDataset(x, y), 64, shuffle=True), DataLoader(y.clone(), 64, shuffle=True)
for e in range(5):
    for (a, b), c in zip(pairs, wanted):
        b, c = F.one_hot(b, 4).float(), F.one_hot(c, 4).float()
        f = g(torch.randn(len(a), 4), c)
        r, k = d(a, b), d(f.detach(), c)
        od.zero_grad(); (F.softplus(-r) + F.softplus(k)).mean().backward(); od.step()
        og.zero_grad(); F.softplus(-d(f, c)).mean().backward(); og.step()
print("RESULT", f.std(0))
