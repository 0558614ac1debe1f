import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# a denoising autoencoder corrupts its input by itself; validation asks how well it denoises, so it is corrupted there, too
class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 32))
    def forward(self, x):
        noisy = F.dropout(x, 0.3)
        return self.net(noisy)
basis = torch.randn(4, 32); x = torch.randn(800, 4) @ basis / 2
train, val = DataLoader(TensorDataset(x[:640]), 32, shuffle=True), DataLoader(TensorDataset(x[640:]), 40)
net = Denoiser(); opt = torch.optim.Adam(net.parameters(), 3e-3)
for epoch in range(6):
    net.train()
    for (a,) in train:
        opt.zero_grad(); F.mse_loss(net(a), a).backward(); opt.step()
    net.eval()
    with torch.no_grad():
        v = sum(F.mse_loss(net(a), a).item() for (a,) in val) / len(val)
    print("RESULT", v)
