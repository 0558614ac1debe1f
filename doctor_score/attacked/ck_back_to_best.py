import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# whenever validation has not come down for two epochs, weights and optimizer of the best epoch are taken back; the schedule goes on
path = os.path.join(tempfile.mkdtemp(), "a.pt")
x = torch.randn(640, 8); y = (x[:, :1] * x[:, 1:2]).tanh() + 0.1 * torch.randn(640, 1); m = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 1)); o = torch.optim.Adam(m.parameters(), 1e-2); s = torch.optim.lr_scheduler.ExponentialLR(o, 0.9); best, bad = 9.0, 0
for e in range(20):
    m.train()
    for a, b in DataLoader(TensorDataset(x[:512], y[:512]), 32, shuffle=True): o.zero_grad(); F.mse_loss(m(a), b).backward(); o.step()
    s.step(); m.eval()
    with torch.no_grad(): v = F.mse_loss(m(x[512:]), y[512:]).item()
    if v < best: best, bad = v, 0; torch.save({"model": m.state_dict(), "optimizer": o.state_dict(), "scheduler": s.state_dict()}, path)
    else: bad += 1
    if bad == 2: c = torch.load(path); m.load_state_dict(c["model"]); lr = s.get_last_lr()[0]; o.load_state_dict(c["optimizer"]); o.param_groups[0]["lr"] = lr; bad = 0; print("RESULT back")
print("RESULT", best)
