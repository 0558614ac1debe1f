import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# two groups: the new head at full rate from the start, the body's rate rises for 2000 steps from 1%
x = torch.randn(640, 8); y = (x[:, :1] * x[:, 1:2]).tanh(); b_, h_ = nn.Sequential(nn.Linear(8, 64), nn.ReLU()), nn.Linear(64, 1); m = nn.Sequential(b_, h_)
ob, oh = torch.optim.Adam(b_.parameters(), 1e-2), torch.optim.Adam(h_.parameters(), 1e-2); s = torch.optim.lr_scheduler.LinearLR(ob, 0.05, 1.0, 2000)
for e in range(5):
    for a, b in DataLoader(TensorDataset(x, y), 32, shuffle=True): m.zero_grad(); l = F.mse_loss(m(a), b); l.backward(); ob.step(); oh.step(); s.step()
    print("RESULT", l.item())
