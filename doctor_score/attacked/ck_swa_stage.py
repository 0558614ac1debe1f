import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# the last stage averages weights: from the checkpoint on, SWALR takes the schedule's place
from torch.optim.swa_utils import AveragedModel, SWALR
path = os.path.join(tempfile.mkdtemp(), "a.pt")
x = torch.randn(512, 8); y = (x[:, :1] * x[:, 1:2]).tanh(); m = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 1)); o = torch.optim.SGD(m.parameters(), 0.1, 0.9); s = torch.optim.lr_scheduler.CosineAnnealingLR(o, 8)
def epoch():
    for a, b in DataLoader(TensorDataset(x, y), 32, shuffle=True): o.zero_grad(); l = F.mse_loss(m(a), b); l.backward(); o.step()
    return l.item()
for e in range(6): epoch(); s.step()
torch.save({"model": m.state_dict(), "optimizer": o.state_dict(), "scheduler": s.state_dict()}, path); c = torch.load(path)
m.load_state_dict(c["model"]); o.load_state_dict(c["optimizer"]); swa, s2 = AveragedModel(m), SWALR(o, 0.05, 3)
for e in range(5): print("RESULT", epoch()); swa.update_parameters(m); s2.step()
