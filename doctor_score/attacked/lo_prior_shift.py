import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# the study has 25% sick ones; where the model will be used there are 10%: classes weigh p_use / p_study
y = (torch.rand(960) < 0.25).long(); x = torch.randn(960, 6); x[:, 0] += 2 * y
m = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 2)); o = torch.optim.Adam(m.parameters(), 3e-3)
w = torch.tensor([0.90 / 0.75, 0.10 / 0.25])
for e in range(4):
    for a, b in DataLoader(TensorDataset(x, y), 48, shuffle=True):
        l = F.cross_entropy(m(a), b, weight=w); o.zero_grad(); l.backward(); o.step()
    print("RESULT", l.item())
