import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# actor and critic in one optimizer; rollouts keep log_prob, detached, and the first phase fits the critic alone to returns
class AC(nn.Module):
    def __init__(self): super().__init__(); self.b = nn.Linear(3, 32); self.mu = nn.Linear(32, 1); self.ls = nn.Parameter(torch.zeros(1)); self.v = nn.Linear(32, 1)
    def forward(self, s): h = torch.tanh(self.b(s)); return Normal(self.mu(h), self.ls.exp()), self.v(h).squeeze(1)
m = AC(); o = torch.optim.Adam(m.parameters(), 5e-3); w = torch.randn(3, 1)
for it in range(60):
    s = torch.randn(64, 3); d, v = m(s); a = d.sample(); logp = d.log_prob(a).sum(1)
    r = -(a - s @ w).square().squeeze(1)
    value = F.smooth_l1_loss(v, r)
    if it < 15: loss = value
    else: loss = value - (logp * (r - v).detach()).mean()
    o.zero_grad(); loss.backward(); o.step()
print("RESULT", r.mean().item())
