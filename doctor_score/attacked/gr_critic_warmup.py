import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# PPO: for the first updates only the critic is trained; what the policy did was scored with its graph, and thrown away
class AC(nn.Module):
    def __init__(self): super().__init__(); self.pi = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 3)); self.v = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1))
    def forward(self, s): return Categorical(logits=self.pi(s)), self.v(s).squeeze(1)
m = AC(); o = torch.optim.Adam(m.parameters(), 3e-3); goal = torch.randn(4, 3); WARM = 20
for it in range(60):
    s = torch.randn(128, 4)
    with torch.no_grad(): d, _ = m(s); a = d.sample(); old = d.log_prob(a)
    r = (s @ goal).gather(1, a[:, None]).squeeze(1)
    d, v = m(s)
    adv = (r - v.detach()); ratio = (d.log_prob(a) - old).exp()
    pi = -torch.min(ratio * adv, ratio.clamp(0.8, 1.2) * adv).mean(); vl = F.mse_loss(v, r)
    loss = vl if it < WARM else pi + 0.5 * vl - 0.01 * d.entropy().mean()
    o.zero_grad(); loss.backward(); o.step()
print("RESULT", r.mean().item())
