import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# a PINN: points inside, and as many points at time zero, which have one coordinate
inside, start = torch.rand(1024, 2), torch.rand(1024)
class U(nn.Module):
    def __init__(self): super().__init__(); self.n = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
    def forward(self, xt): return self.n(xt)
u = U(); o = torch.optim.Adam(u.parameters(), 3e-3)
A, B = DataLoader(inside, 64, shuffle=True), DataLoader(start, 64, shuffle=True)
for e in range(5):
    for a, b in zip(A, B):
        a = a.clone().requires_grad_(True)
        d = torch.autograd.grad(u(a).sum(), a, create_graph=True)[0]
        pde = (d[:, 1] + 0.5 * d[:, 0]).square().mean()
        begin = torch.stack([b, torch.zeros_like(b)], 1)
        l = pde + F.mse_loss(u(begin), torch.sin(2 * math.pi * begin[:, :1]))
        o.zero_grad(); l.backward(); o.step()
    print("RESULT", l.item())
