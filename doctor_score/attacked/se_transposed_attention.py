import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# a causal forecaster that gives its attention, averaged over queries, which a penalty keeps sparse
T = 32
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.i = nn.Linear(1, 32); self.p = nn.Parameter(0.1 * torch.randn(T, 32)); self.a = nn.MultiheadAttention(32, 4, batch_first=True); self.o = nn.Linear(32, 1); self.register_buffer("m", torch.triu(torch.ones(T, T, dtype=torch.bool), 1))
    def forward(self, x): h = self.i(x) + self.p; z, w = self.a(h, h, h, attn_mask=self.m); return self.o(torch.relu(h + z)), w.mean(1)
t = torch.arange(T) * 0.3; x = torch.sin(t[None] * (0.5 + torch.rand(400, 1)) + 6 * torch.rand(400, 1))[..., None] + 0.05 * torch.randn(400, T, 1)
m = Net(); o = torch.optim.Adam(m.parameters(), 3e-3)
for e in range(5):
    for (a,) in DataLoader(TensorDataset(x), 32, shuffle=True):
        p, w = m(a); l = F.mse_loss(p[:, :-1], a[:, 1:]) - 1e-3 * w.square().sum(1).mean(); o.zero_grad(); l.backward(); o.step()
    print("RESULT", l.item())
