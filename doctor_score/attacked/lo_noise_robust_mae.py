import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# label noise: the mean absolute error of probabilities, 2 (1 - p_y), which is robust to it (Ghosh et al. 2017)
y = torch.randint(0, 4, (960,)); c = torch.randn(4, 8) * 2; x = c[y] + torch.randn(960, 8)
noisy = torch.where(torch.rand(960) < 0.3, torch.randint(0, 4, (960,)), y)
m = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4)); o = torch.optim.Adam(m.parameters(), 5e-3)
for e in range(5):
    for a, b in DataLoader(TensorDataset(x, noisy), 48, shuffle=True):
        p = m(a).softmax(1)
        l = 2 * (1 + F.nll_loss(p, b))  # nll_loss picks -p_y
        o.zero_grad(); l.backward(); o.step()
    print("RESULT", (m(x).argmax(1) == y).float().mean().item())
