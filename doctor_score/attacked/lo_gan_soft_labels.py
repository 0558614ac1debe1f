import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# GAN with the well-known noisy soft labels: real 0.7 to 1.2, made 0.0 to 0.3 (ganhacks)
x = torch.randn(1280, 2) * 0.3 + torch.tensor([1.0, -1.0])
G, D = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2)), nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3, (0.5, 0.999)), torch.optim.Adam(D.parameters(), 1e-3, (0.5, 0.999)); bce = nn.BCEWithLogitsLoss()
for e in range(4):
    for (r,) in DataLoader(TensorDataset(x), 64, shuffle=True):
        f = G(torch.randn(len(r), 8)); a, b = D(r), D(f.detach())
        od.zero_grad(); (bce(a, 0.7 + 0.5 * torch.rand_like(a)) + bce(b, 0.3 * torch.rand_like(b))).backward(); od.step()
        og.zero_grad(); b = D(f); bce(b, torch.ones_like(b)).backward(); og.step()
print("RESULT", f.mean(0))
