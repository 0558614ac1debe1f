import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# a part on the sphere has an optimizer of its own making, which gathers four batches for each step
class Sphere:
    def __init__(self, p, lr): self.p, self.lr, self.k = p, lr, 0
    def step(self):
        self.k += 1
        if self.k % 4: return
        with torch.no_grad(): self.p -= self.lr * self.p.grad / 4; self.p /= self.p.norm(dim=1, keepdim=True)
        self.p.grad = None
class Net(nn.Module):
    def __init__(self): super().__init__(); self.b = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16)); self.proto = nn.Parameter(F.normalize(torch.randn(4, 16), dim=1))
    def forward(self, x): return 10 * F.normalize(self.b(x), dim=1) @ self.proto.t()
c = torch.randn(4, 8) * 2; y = torch.randint(0, 4, (640,)); x = c[y] + torch.randn(640, 8)
m = Net(); o, s = torch.optim.Adam(m.b.parameters(), 3e-3), Sphere(m.proto, 0.1)
for e in range(4):
    for a, b in DataLoader(TensorDataset(x, y), 32, shuffle=True): o.zero_grad(); l = F.cross_entropy(m(a), b); l.backward(); o.step(); s.step()
    print("RESULT", l.item())
