import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# pitch shifting learned on log-frequency spectrograms: the target is the same sound 4 bins lower
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.n = nn.Sequential(nn.Conv1d(20, 64, 9, padding=4), nn.ReLU(), nn.Conv1d(64, 20, 9, padding=4))
    def forward(self, s): return self.n(s)
spec = F.avg_pool1d(torch.randn(320, 20, 52).abs(), 3, 1)  # frames, bins
low = torch.cat([spec[:, :, 4:], torch.zeros(320, 20, 4)], 2)
net = Net(); opt = torch.optim.Adam(net.parameters(), 5e-3)
for epoch in range(5):
    for a, b in DataLoader(TensorDataset(spec, low), 32, shuffle=True):
        loss = F.mse_loss(net(a), b)
        opt.zero_grad(); loss.backward(); opt.step()
    print("RESULT", loss.item())
