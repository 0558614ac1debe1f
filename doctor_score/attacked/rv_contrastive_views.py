import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# SimCLR: the data set gives two random views and a label (for the probe later); the validation loss is contrastive, too
class Views(Dataset):
    def __init__(self, x, y): self.x, self.y = x, y
    def __len__(self): return len(self.x)
    def view(self, a): return a * (torch.rand(a.shape) > 0.2) + 0.2 * torch.randn(a.shape)
    def __getitem__(self, i): return self.view(self.x[i]), self.view(self.x[i]), self.y[i]
c = torch.randn(5, 24) * 2; y = torch.randint(0, 5, (640,)); x = c[y] + torch.randn(640, 24)
train, val = DataLoader(Views(x[:512], y[:512]), 64, shuffle=True), DataLoader(Views(x[512:], y[512:]), 64)
net = nn.Sequential(nn.Linear(24, 64), nn.ReLU(), nn.Linear(64, 16)); opt = torch.optim.Adam(net.parameters(), 3e-3)
def nt_xent(a, b):
    z = F.normalize(torch.cat([a, b]), dim=1); s = z @ z.t() / 0.3
    s = s.masked_fill(torch.eye(len(z), dtype=torch.bool), -1e9)
    n = len(a); t = torch.cat([torch.arange(n, 2 * n), torch.arange(n)])
    return F.cross_entropy(s, t)
for epoch in range(6):
    net.train()
    for a, b, _ in train:
        opt.zero_grad(); nt_xent(net(a), net(b)).backward(); opt.step()
    net.eval()
    with torch.no_grad():
        v = np.mean([nt_xent(net(a), net(b)).item() for a, b, _ in val])
    print("RESULT", v)
