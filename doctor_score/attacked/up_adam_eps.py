import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# Adam with eps = 0.1, as TensorFlow's documentation recommends for Inception; the rate is as large as goes with it
c = torch.randn(8, 32) * 0.8; y = torch.randint(0, 8, (960,)); x = c[y] + torch.randn(960, 32)
m = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 8)); o = torch.optim.Adam(m.parameters(), 5e-3, eps=0.1)
for e in range(15):
    for a, b in DataLoader(TensorDataset(x, y), 48, shuffle=True): o.zero_grad(); l = F.cross_entropy(m(a), b); l.backward(); o.step()
    print("RESULT", l.item(), (m(x).argmax(1) == y).float().mean().item())
