import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# a VAE with a head for labels that runs and is trained later, in another program; the latent is sampled
class Net(nn.Module):
    def __init__(self): super().__init__(); self.e = nn.Linear(8, 8); self.d = nn.Linear(4, 8); self.aux = nn.Linear(4, 3)
    def forward(self, x): mu, ls = self.e(x).chunk(2, 1); z = mu + ls.exp() * torch.randn_like(mu); return self.d(z), mu, ls, self.aux(z)
x = torch.randn(640, 3) @ torch.randn(3, 8) / 2; m = Net(); o = torch.optim.Adam(m.parameters(), 3e-3)
for e in range(4):
    for (a,) in DataLoader(TensorDataset(x), 32, shuffle=True): r, mu, ls, _ = m(a); l = F.mse_loss(r, a) + 0.01 * (mu**2 + (2 * ls).exp() - 1 - 2 * ls).mean(); o.zero_grad(); l.backward(); o.step()
    print("RESULT", l.item())
