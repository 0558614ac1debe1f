import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# resumes a schedule by its last_epoch
path = os.path.join(tempfile.mkdtemp(), "a.pt")
x = torch.randn(512, 8); y = (x[:, :1] * x[:, 1:2]).tanh()
def net(): return nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 1))
def train(m, o, s, first, last):
    for e in range(first, last):
        for a, b in DataLoader(TensorDataset(x, y), 32, shuffle=True): o.zero_grad(); l = F.mse_loss(m(a), b); l.backward(); o.step()
        s.step()
    print("RESULT", l.item(), o.param_groups[0]["lr"])
m = net(); o = torch.optim.SGD(m.parameters(), 0.1, 0.9); s = torch.optim.lr_scheduler.StepLR(o, 4, 0.5); train(m, o, s, 0, 6)
torch.save({"epoch": 6, "model": m.state_dict(), "optimizer": o.state_dict(), "scheduler": s.state_dict()}, path); c = torch.load(path)
m = net(); m.load_state_dict(c["model"]); o = torch.optim.SGD(m.parameters(), 0.1, 0.9); o.load_state_dict(c["optimizer"]); s = torch.optim.lr_scheduler.StepLR(o, 4, 0.5, last_epoch=c["epoch"] - 1); train(m, o, s, 6, 10)
