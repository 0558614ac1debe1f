import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# validation of robustness: the same images, each time with new noise of the kind that the sensor has
class Sensor(Dataset):
    def __init__(self, x, y): self.x, self.y = x, y
    def __len__(self): return len(self.x)
    def __getitem__(self, i): return self.x[i] + 0.3 * torch.randn(16), self.y[i]
c = torch.randn(3, 16) * 2; y = torch.randint(0, 3, (640,)); x = c[y] + torch.randn(640, 16)
train, val = DataLoader(Sensor(x[:512], y[:512]), 32, shuffle=True), DataLoader(Sensor(x[512:], y[512:]), 64)
m = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 3)); o = torch.optim.Adam(m.parameters(), 3e-3)
for e in range(5):
    m.train()
    for a, b in train: o.zero_grad(); F.cross_entropy(m(a), b).backward(); o.step()
    m.eval()
    with torch.no_grad(): print("RESULT", np.mean([(m(a).argmax(1) == b).float().mean().item() for a, b in val]))
