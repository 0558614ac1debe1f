import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# unpaired translation between a two-dimensional and a one-dimensional world of as many samples (a small CycleGAN by sliced means)
A, B = torch.randn(1024, 2) @ torch.tensor([[1.0, 0.5], [0.0, 0.3]]), torch.randn(1024).exp()
f, g = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 1)), nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 2)); o = torch.optim.Adam([*f.parameters(), *g.parameters()], 3e-3)
la, lb = DataLoader(A, 64, shuffle=True), DataLoader(B, 64, shuffle=True)
for e in range(5):
    for a, b in zip(la, lb):
        y = f(a); l = F.mse_loss(y.squeeze(1).sort().values, b.log().sort().values) + F.mse_loss(g(y), a); o.zero_grad(); l.backward(); o.step()
    print("RESULT", l.item())
