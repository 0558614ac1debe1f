import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# after a jump of the loss weights and Adam's moments of the last checkpoint are taken back; the same schedule goes on (here the jump is a broken batch)
path = os.path.join(tempfile.mkdtemp(), "a.pt")
x = torch.randn(640, 8); y = (x[:, :1] * x[:, 1:2]).tanh(); m = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 1)); o = torch.optim.Adam(m.parameters(), 5e-3); s = torch.optim.lr_scheduler.ExponentialLR(o, 0.95)
for e in range(16):
    for a, b in DataLoader(TensorDataset(x, y), 32, shuffle=True): o.zero_grad(); l = F.mse_loss(m(a), b); l.backward(); o.step()
    s.step()
    if e == 10:  # the watchdog says that the last epoch is to be taken back
        c = torch.load(path); m.load_state_dict(c["model"]); lr = s.get_last_lr()[0]; o.load_state_dict(c["optimizer"]); o.param_groups[0]["lr"] = lr
    else: torch.save({"model": m.state_dict(), "optimizer": o.state_dict(), "scheduler": s.state_dict()}, path)
    print("RESULT", e, l.item())
