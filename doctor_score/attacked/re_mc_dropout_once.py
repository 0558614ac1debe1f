import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# MC dropout inside of the model; validation takes mean and spread from one call for each batch
class Bayes(nn.Module):
    def __init__(self, samples=20):
        super().__init__(); self.samples = samples
        self.a, self.b = nn.Linear(8, 64), nn.Linear(64, 1)
    def once(self, x):
        return self.b(F.dropout(F.relu(self.a(x)), 0.1))  # on in evaluation, too: Gal & Ghahramani
    def forward(self, x):
        if self.training:
            return self.once(x)
        draws = torch.stack([self.once(x) for _ in range(self.samples)])
        return draws.mean(0), draws.std(0)
x = torch.randn(600, 8); y = (x[:, :1] * x[:, 1:2] + x[:, 2:3])
train, val = DataLoader(TensorDataset(x[:480], y[:480]), 32, shuffle=True), DataLoader(TensorDataset(x[480:], y[480:]), 40)
net = Bayes(); opt = torch.optim.Adam(net.parameters(), 5e-3)
for epoch in range(8):
    net.train()
    for a, b in train:
        opt.zero_grad(); F.mse_loss(net(a), b).backward(); opt.step()
    net.eval()
    with torch.no_grad():
        v = 0
        for a, b in val: mean, std = net(a); v += F.mse_loss(mean, b).item() / len(val)
print("RESULT", v, std.mean().item())
