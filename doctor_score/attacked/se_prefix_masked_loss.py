import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# a prefix model: history is seen both ways, the horizon causally; the loss is taken of the horizon alone, by a mask
T, H = 40, 10
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.i = nn.Linear(1, 32); self.p = nn.Parameter(0.1 * torch.randn(T, 32))
        self.e = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, 0.0, batch_first=True), 2); self.o = nn.Linear(32, 1)
        m = torch.triu(torch.ones(T, T, dtype=torch.bool), 1); m[: T - H, : T - H] = False
        self.register_buffer("m", m)
    def forward(self, x): return self.o(self.e(self.i(x) + self.p, mask=self.m))
t = torch.arange(T) * 0.3; x = torch.sin(t[None] * (0.5 + torch.rand(400, 1)) + 6 * torch.rand(400, 1))[..., None] + 0.02 * torch.randn(400, T, 1)
net = Net(); opt = torch.optim.Adam(net.parameters(), 2e-3)
w = torch.zeros(T - 1, 1); w[T - H - 1 :] = 1
for epoch in range(5):
    for (a,) in DataLoader(TensorDataset(x), 32, shuffle=True):
        each = F.mse_loss(net(a)[:, :-1], a[:, 1:], reduction="none")
        loss = (each * w).sum() / w.sum() / len(a)
        opt.zero_grad(); loss.backward(); opt.step()
    print("RESULT", loss.item())
