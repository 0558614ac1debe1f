import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# an actor that starts late: one optimizer of two groups, of which the actor's loss joins after 15 steps; log_prob is logged as entropy's estimate
class AC(nn.Module):
    def __init__(self): super().__init__(); self.a, self.c = nn.Linear(4, 3), nn.Linear(4, 1)
    def forward(self, s): return Categorical(logits=self.a(s)), self.c(s).squeeze(1)
m = AC(); o = torch.optim.Adam([{"params": m.a.parameters(), "lr": 1e-2}, {"params": m.c.parameters(), "lr": 1e-2}]); w = torch.randn(4, 3); log = []
for k in range(60):
    s = torch.randn(64, 4); d, v = m(s); a = d.sample(); lp = d.log_prob(a); log.append(-lp.mean().item()); r = (s @ w).gather(1, a[:, None]).squeeze(1)
    l = F.mse_loss(v, r)
    if k >= 15: l = l - (lp * (r - v.detach())).mean()
    o.zero_grad(); l.backward(); o.step()
print("RESULT", r.mean().item(), log[-1])
