import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# after the last epoch everything of the best one is taken back, optimizer too, and a last score is made
path = os.path.join(tempfile.mkdtemp(), "a.pt")
x = torch.randn(640, 8); y = (x[:, :1] * x[:, 1:2]).tanh(); m = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 1)); o = torch.optim.Adam(m.parameters(), 5e-3); s = torch.optim.lr_scheduler.CosineAnnealingLR(o, 8); best = 9.0
for e in range(8):
    m.train()
    for a, b in DataLoader(TensorDataset(x[:512], y[:512]), 32, shuffle=True): o.zero_grad(); F.mse_loss(m(a), b).backward(); o.step()
    s.step(); m.eval()
    with torch.no_grad(): v = F.mse_loss(m(x[512:]), y[512:]).item()
    if v < best: best = v; torch.save({"model": m.state_dict(), "optimizer": o.state_dict(), "scheduler": s.state_dict(), "epoch": e}, path)
c = torch.load(path); m.load_state_dict(c["model"]); o.load_state_dict(c["optimizer"])
with torch.no_grad(): print("RESULT", F.mse_loss(m(x[512:]), y[512:]).item())
