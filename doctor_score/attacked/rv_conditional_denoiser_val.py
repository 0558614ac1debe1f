import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# a class-conditional diffusion model: the data set draws the time and the noise; validation draws them anew, as is usual
class Diff(Dataset):
    def __init__(self, x, y): self.x, self.y = x, y
    def __len__(self): return len(self.x)
    def __getitem__(self, i):
        t = torch.rand(1); e = torch.randn(2)
        return torch.cat([self.x[i] * (1 - t).sqrt() + e * t.sqrt(), t]), self.y[i], e
y = torch.randint(0, 4, (640,)); x = torch.tensor([[1., 1], [1, -1], [-1, 1], [-1, -1]])[y] + 0.1 * torch.randn(640, 2)
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.e = nn.Embedding(4, 16); self.i = nn.Linear(3, 64); self.c = nn.Linear(16, 64); self.o = nn.Linear(64, 2)
    def forward(self, xt, y): return self.o(F.silu(self.i(xt) + self.c(self.e(y))))
train, val = DataLoader(Diff(x[:512], y[:512]), 32, shuffle=True), DataLoader(Diff(x[512:], y[512:]), 32)
net = Net(); opt = torch.optim.Adam(net.parameters(), 3e-3)
for epoch in range(6):
    net.train()
    for a, b, e in train:
        opt.zero_grad(); F.mse_loss(net(a, b), e).backward(); opt.step()
    net.eval()
    with torch.no_grad():
        v = np.mean([F.mse_loss(net(a, b), e).item() for a, b, e in val])
    print("RESULT", v)
