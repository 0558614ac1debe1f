import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# five folds: each begins with the first weights and the first optimizer state, and scores the best checkpoint of its own
path = os.path.join(tempfile.mkdtemp(), "a.pt")
x = torch.randn(400, 8); y = (x[:, :1] * x[:, 1:2]).tanh()
m = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 1)); o = torch.optim.Adam(m.parameters(), 5e-3)
m0, o0 = copy.deepcopy(m.state_dict()), copy.deepcopy(o.state_dict())
scores = []
for fold in range(4):
    m.load_state_dict(m0); o.load_state_dict(copy.deepcopy(o0)); s = torch.optim.lr_scheduler.CosineAnnealingLR(o, 8)
    held = torch.arange(400) % 4 == fold; best = 9.0
    for e in range(8):
        m.train()
        for a, b in DataLoader(TensorDataset(x[~held], y[~held]), 25, shuffle=True):
            o.zero_grad(); F.mse_loss(m(a), b).backward(); o.step()
        s.step(); m.eval()
        with torch.no_grad(): v = F.mse_loss(m(x[held]), y[held]).item()
        if v < best: best = v; torch.save({"model": m.state_dict(), "scheduler": s.state_dict(), "epoch": e}, path)
    m.load_state_dict(torch.load(path)["model"])
    with torch.no_grad(): scores.append(F.mse_loss(m(x[held]), y[held]).item())
print("RESULT", scores)
