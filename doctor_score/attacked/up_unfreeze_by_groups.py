import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# gradual unfreezing as in ULMFiT: the optimizer gets one more group each epoch, from the top; the network was pretrained
path = os.path.join(tempfile.mkdtemp(), "a.pt")
def make(): return nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 1))
x = torch.randn(640, 8); y = (x[:, :1] * x[:, 1:2]).tanh(); y2 = (x[:, :1] * x[:, 2:3]).tanh()
m = make(); o = torch.optim.Adam(m.parameters(), 3e-3)
for e in range(3):
    for a, b in DataLoader(TensorDataset(x, y), 32, shuffle=True): o.zero_grad(); F.mse_loss(m(a), b).backward(); o.step()
torch.save(m.state_dict(), path); del m, o
f = make(); f.load_state_dict(torch.load(path)); f[6] = nn.Linear(48, 1)
o = torch.optim.Adam(f[6].parameters(), 3e-3)
for e in range(6):
    if e in (1, 2, 3): o.add_param_group({"params": list(f[(4, 2, 0)[e - 1]].parameters()), "lr": 3e-3 / 2.6**e})
    for a, b in DataLoader(TensorDataset(x, y2), 32, shuffle=True): f.zero_grad(); l = F.mse_loss(f(a), b); l.backward(); o.step()
    print("RESULT", l.item())
