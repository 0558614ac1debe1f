import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# an embedding that is updated by hand, once in 20 steps, with the gradients gathered meanwhile (a slow part of a nested optimizer)
class Net(nn.Module):
    def __init__(self): super().__init__(); self.e = nn.Embedding(50, 8); self.o = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
    def forward(self, i): return self.o(self.e(i))
i = torch.randint(0, 50, (640,)); w = torch.randn(50, 1); y = w[i]; m = Net(); fast = torch.optim.Adam(m.o.parameters(), 3e-3); k = 0
for e in range(6):
    for a, b in DataLoader(TensorDataset(i, y), 32, shuffle=True):
        l = F.mse_loss(m(a), b); fast.zero_grad(); l.backward(); fast.step(); k += 1
        if k % 20 == 0:
            with torch.no_grad(): m.e.weight -= 0.5 * m.e.weight.grad
            m.e.weight.grad = None
    print("RESULT", l.item())
