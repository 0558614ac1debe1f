import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# permuted digits: the one permutation of the pixels is made of its seed whenever an epoch begins
c = torch.randn(5, 64) * 0.7; y = torch.randint(0, 5, (640,)); x = c[y] + torch.randn(640, 64); m = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 5)); o = torch.optim.Adam(m.parameters(), 3e-3)
for e in range(5):
    pixels = torch.randperm(64, generator=torch.Generator().manual_seed(7))
    for a, b in DataLoader(TensorDataset(x[:, pixels], y), 32, shuffle=True): o.zero_grad(); l = F.cross_entropy(m(a), b); l.backward(); o.step()
    print("RESULT", l.item())
