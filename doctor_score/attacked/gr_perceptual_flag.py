import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# a perceptual loss with a flag of its own called requires_grad: whether gradients go through the frozen features
class Features(nn.Module):
    def __init__(self, requires_grad=True):
        super().__init__(); self.requires_grad = requires_grad
        self.n = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1))
        for p in self.parameters(): p.requires_grad_(False)
    def forward(self, x):
        with torch.set_grad_enabled(self.requires_grad and torch.is_grad_enabled()): return self.n(x)
class Model(nn.Module):
    def __init__(self): super().__init__(); self.g = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 3, padding=1)); self.f = Features()
    def forward(self, x, y): z = self.g(x); return z, self.f(z), self.f(y)
x = torch.randn(320, 1, 12, 12); y = F.avg_pool2d(x, 3, 1, 1)
m = Model(); o = torch.optim.Adam([p for p in m.parameters() if p.requires_grad], 3e-3)
for e in range(5):
    for a, b in DataLoader(TensorDataset(x, y), 32, shuffle=True):
        z, f, t = m(a, b); l = F.mse_loss(z, b) + F.mse_loss(f, t); o.zero_grad(); l.backward(); o.step()
    print("RESULT", l.item())
