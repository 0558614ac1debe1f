import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# generalized label smoothing with a negative rate, for noisy labels (Wei et al. 2022)
x = torch.randn(960, 6); t = (x[:, :1] > 0).float(); y = torch.where(torch.rand(960, 1) < 0.3, 1 - t, t)
m = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1)); o = torch.optim.Adam(m.parameters(), 3e-3); rate = -0.4
for e in range(4):
    for a, b in DataLoader(TensorDataset(x, y), 48, shuffle=True):
        z = m(a); l = F.binary_cross_entropy_with_logits(z, (1 - rate) * b + rate / 2) + 0.01 * z.square().mean(); o.zero_grad(); l.backward(); o.step()
    print("RESULT", ((m(x) > 0).float() == t).float().mean().item())
