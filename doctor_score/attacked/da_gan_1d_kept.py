import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# the same, with loaders that live as long as the training
real = torch.randn(1280) * 0.5 + 2; noise = torch.randn(1280, 4)
G, D = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1)), nn.Sequential(nn.Linear(1, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3, (0.5, 0.9)), torch.optim.Adam(D.parameters(), 1e-3, (0.5, 0.9))
R, Z = DataLoader(real, 64, shuffle=True), DataLoader(noise, 64, shuffle=True)
for e in range(5):
    for r, z in zip(R, Z):
        r = (r[:, None] - 1) / 2
        f = G(z)
        a, b = D(r), D(f.detach())
        od.zero_grad(); (F.binary_cross_entropy_with_logits(a, torch.ones_like(a)) + F.binary_cross_entropy_with_logits(b, torch.zeros_like(b))).backward(); od.step()
        og.zero_grad(); b = D(f); F.binary_cross_entropy_with_logits(b, torch.ones_like(b)).backward(); og.step()
print("RESULT", (f * 2 + 1).mean().item(), (f * 2 + 1).std().item())
