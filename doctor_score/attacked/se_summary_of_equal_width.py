import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# causal forecaster that also gives a summary of the whole series (32 numbers) for a class; there are 32 times, too
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.g = nn.GRU(1, 32, batch_first=True); self.o = nn.Linear(32, 1)
    def forward(self, x):
        h, last = self.g(x); return self.o(h), last[0]
y = torch.randint(0, 2, (400,)); t = torch.arange(32) * 0.3
x = (torch.sin(t[None] * (1 + y[:, None]) + 6 * torch.rand(400, 1)) + 0.05 * torch.randn(400, 32))[..., None]
net, head = Net(), nn.Linear(32, 2); opt = torch.optim.Adam([*net.parameters(), *head.parameters()], 5e-3)
for epoch in range(5):
    for a, b in DataLoader(TensorDataset(x, y), 32, shuffle=True):
        f, s = net(a)
        loss = F.mse_loss(f[:, :-1], a[:, 1:]) + F.cross_entropy(head(s), b)
        opt.zero_grad(); loss.backward(); opt.step()
    print("RESULT", loss.item())
