import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# anomaly detection with two heads, as MTAD-GAT: a causal one forecasts, an autoencoder over the window reconstructs
class Two(nn.Module):
    def __init__(self):
        super().__init__(); self.g = nn.GRU(3, 32, batch_first=True); self.f = nn.Linear(32, 3)
        self.r = nn.GRU(3, 16, batch_first=True, bidirectional=True); self.o = nn.Sequential(nn.Linear(32, 4), nn.Linear(4, 3))
    def forward(self, x): return self.f(self.g(x)[0]), self.o(self.r(x)[0])
t = torch.arange(50) * 0.2; x = torch.sin(t[None, :, None] * (0.5 + torch.rand(320, 1, 3)) + 6 * torch.rand(320, 1, 3)) + 0.05 * torch.randn(320, 50, 3)
net = Two(); opt = torch.optim.Adam(net.parameters(), 5e-3)
for epoch in range(5):
    for (a,) in DataLoader(TensorDataset(x), 32, shuffle=True):
        f, r = net(a)
        loss = F.mse_loss(f[:, :-1], a[:, 1:]) + F.mse_loss(r, a)
        opt.zero_grad(); loss.backward(); opt.step()
    print("RESULT", loss.item())
