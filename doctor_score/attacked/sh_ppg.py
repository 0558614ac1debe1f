import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# phasic policy gradient with one network: the value head learns on detached features; an auxiliary phase trains all together
class Enc(nn.Module):
    def __init__(self): super().__init__(); self.n = nn.Sequential(nn.Linear(4, 32), nn.Tanh())
    def forward(self, s): return self.n(s)
enc, pi, v = Enc(), nn.Linear(32, 3), nn.Linear(32, 1); goal = torch.randn(4, 3)
op, ov = torch.optim.Adam([*enc.parameters(), *pi.parameters()], 3e-3), torch.optim.Adam(v.parameters(), 3e-3)
aux = torch.optim.Adam([*enc.parameters(), *pi.parameters(), *v.parameters()], 1e-3)
for it in range(40):
    s = torch.randn(128, 4); h = enc(s); d = Categorical(logits=pi(h)); a = d.sample(); r = (s @ goal).gather(1, a[:, None]).squeeze(1)
    b = v(h.detach()).squeeze(1)
    ov.zero_grad(); F.mse_loss(b, r).backward(); ov.step()
    op.zero_grad(); (-(d.log_prob(a) * (r - b.detach())).mean() - 0.01 * d.entropy().mean()).backward(); op.step()
    if it % 4 == 0:
        old = pi(enc(s)).detach().log_softmax(1)
        for _ in range(2):
            h = enc(s); aux.zero_grad(); (F.mse_loss(v(h).squeeze(1), r) + F.kl_div(pi(h).log_softmax(1), old, log_target=True, reduction="batchmean")).backward(); aux.step()
print("RESULT", r.mean().item())
