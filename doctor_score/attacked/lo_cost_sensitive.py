import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# spam: 5 of 6 mails are wanted ones, and to lose one of those costs five times as much as to let spam through
x = torch.randn(960, 6); y = (x[:, 0] + 0.5 * torch.randn(960) > 1.0).long()
m = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 2)); o = torch.optim.Adam(m.parameters(), 3e-3)
cost = torch.tensor([5.0, 1.0])  # what a wrong answer about a wanted mail costs, and about spam
for e in range(4):
    for a, b in DataLoader(TensorDataset(x, y), 48, shuffle=True):
        l = F.cross_entropy(m(a), b, weight=cost); o.zero_grad(); l.backward(); o.step()
    print("RESULT", l.item())
