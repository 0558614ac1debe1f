import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# point clouds: each time an object is read, 32 of its 256 points are drawn, in training and in testing, as PointNet++ does
class Clouds(Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.y = torch.randint(0, 3, (n,), generator=g); p = torch.randn(n, 256, 3, generator=g)
        s = torch.tensor([[1, 1, 1], [1, 1, 0.2], [1, 0.2, 0.2]])[self.y][:, None]
        self.x = p * s
    def __len__(self): return len(self.x)
    def __getitem__(self, i): return self.x[i][torch.randint(0, 256, (32,))], self.y[i]
class PointNet(nn.Module):
    def __init__(self):
        super().__init__(); self.f = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 64)); self.h = nn.Linear(64, 3)
    def forward(self, x): return self.h(self.f(x).amax(1))
train, val = DataLoader(Clouds(384, 0), 32, shuffle=True), DataLoader(Clouds(96, 1), 32)
net = PointNet(); opt = torch.optim.Adam(net.parameters(), 3e-3)
for epoch in range(5):
    net.train()
    for a, b in train:
        opt.zero_grad(); F.cross_entropy(net(a), b).backward(); opt.step()
    net.eval()
    with torch.no_grad():
        v = np.mean([(net(a).argmax(1) == b).float().mean().item() for a, b in val])
    print("RESULT", v)
