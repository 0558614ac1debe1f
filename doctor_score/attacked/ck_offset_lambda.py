import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# resumes with the global step in the schedule's function
path = os.path.join(tempfile.mkdtemp(), "a.pt")
x = torch.randn(512, 8); y = (x[:, :1] * x[:, 1:2]).tanh()
def net(): return nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 1))
def factor(step): return min(1, (step + 1) / 20) * 0.5 * (1 + math.cos(math.pi * min(1, step / 160)))
def train(m, o, s, n):
    for _ in range(n):
        for a, b in DataLoader(TensorDataset(x, y), 32, shuffle=True):
            o.zero_grad(); l = F.mse_loss(m(a), b); l.backward(); o.step(); s.step()
    print("RESULT", l.item(), o.param_groups[0]["lr"])
m = net(); o = torch.optim.Adam(m.parameters(), 5e-3); s = torch.optim.lr_scheduler.LambdaLR(o, factor)
train(m, o, s, 5)
torch.save({"step": 80, "model": m.state_dict(), "optimizer": o.state_dict(), "scheduler": {k: v for k, v in s.state_dict().items() if k != "lr_lambdas"}}, path)
c = torch.load(path); m = net(); m.load_state_dict(c["model"]); o = torch.optim.Adam(m.parameters(), 5e-3); o.load_state_dict(c["optimizer"])
start = c["step"]; s = torch.optim.lr_scheduler.LambdaLR(o, lambda k: factor(start + k))
train(m, o, s, 5)
