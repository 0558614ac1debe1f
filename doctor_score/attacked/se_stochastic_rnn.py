import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# a causal forecaster with a sampled latent at each time (a variational recurrent net): samples in evaluation, too
class VR(nn.Module):
    def __init__(self): super().__init__(); self.g = nn.GRU(1, 32, batch_first=True); self.z = nn.Linear(32, 16); self.o = nn.Linear(8, 1)
    def forward(self, x):
        h, _ = self.g(x); mu, ls = self.z(h).chunk(2, -1); z = mu + ls.clamp(-5, 2).exp() * torch.randn_like(mu); return self.o(z), mu, ls
t = torch.arange(40) * 0.3; x = torch.sin(t[None] * (0.5 + torch.rand(400, 1)) + 6 * torch.rand(400, 1))[..., None] + 0.05 * torch.randn(400, 40, 1)
m = VR(); o = torch.optim.Adam(m.parameters(), 5e-3)
for e in range(5):
    for (a,) in DataLoader(TensorDataset(x), 32, shuffle=True):
        p, mu, ls = m(a); l = F.mse_loss(p[:, :-1], a[:, 1:]) + 1e-3 * (mu**2 + (2 * ls).exp() - 1 - 2 * ls).mean(); o.zero_grad(); l.backward(); o.step()
    print("RESULT", l.item())
