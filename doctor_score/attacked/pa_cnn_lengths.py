import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# a convolutional net over padded text, pooled over real places by their lengths; its receptive field ends in padding, as everywhere
V = 30
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.e = nn.Embedding(V, 32, padding_idx=0); self.a, self.b = nn.Conv1d(32, 32, 3, padding=1), nn.Conv1d(32, 32, 3, padding=1); self.o = nn.Linear(32, 2)
    def forward(self, x, n):
        h = F.relu(self.b(F.relu(self.a(self.e(x).transpose(1, 2)))))
        mask = (torch.arange(x.shape[1])[None] < n[:, None]).float()[:, None]
        return self.o((h * mask).sum(2) / n[:, None])
n = torch.randint(5, 21, (640,)); x = torch.randint(1, V, (640, 20)); y = ((x == 3).logical_and(torch.arange(20)[None] < n[:, None]).any(1)).long(); x[torch.arange(20)[None] >= n[:, None]] = 0
m = Net(); o = torch.optim.Adam(m.parameters(), 3e-3)
for e in range(4):
    for a, b, c in DataLoader(TensorDataset(x, n, y), 32, shuffle=True):
        l = F.cross_entropy(m(a, b), c); o.zero_grad(); l.backward(); o.step()
    print("RESULT", l.item())
