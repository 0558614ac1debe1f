import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# mutual information by MINE; the statistics network takes pairs that are put together outside
x = torch.randn(1280, 1); y = 0.8 * x[:, 0] + 0.6 * torch.randn(1280)
joint, marginal = DataLoader(TensorDataset(x, y), 64, shuffle=True), DataLoader(y, 64, shuffle=True)
t = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 1)); o = torch.optim.Adam(t.parameters(), 3e-3)
for e in range(6):
    for (a, b), c in zip(joint, marginal):
        mi = t(torch.cat([a, b[:, None]], 1)).mean() - (torch.logsumexp(t(torch.cat([a, c[:, None]], 1)), 0) - math.log(len(c))).mean()
        o.zero_grad(); (-mi).backward(); o.step()
    print("RESULT", mi.item())
