import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# fine-tuning: the lower third of a network that was trained before stays as it is, for the optimizer gets only the upper layers
path = os.path.join(tempfile.mkdtemp(), "a.pt")
def make(): return nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
x = torch.randn(640, 8); y = (x[:, :1] * x[:, 1:2]).tanh(); y2 = (x[:, :1] * x[:, 2:3]).tanh()
def train(m, o, t):
    for e in range(3):
        for a, b in DataLoader(TensorDataset(x, t), 32, shuffle=True): o.zero_grad(); l = F.mse_loss(m(a), b); l.backward(); o.step()
    print("RESULT", l.item())
m = make(); train(m, torch.optim.Adam(m.parameters(), 3e-3), y); torch.save(m.state_dict(), path)
f = make(); f.load_state_dict(torch.load(path)); train(f, torch.optim.Adam(f[2:].parameters(), 1e-3), y2)
