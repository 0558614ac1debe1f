import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# a forward and a backward recurrent predictor in one model, each asked for what it has not seen (as ELMo)
class Both(nn.Module):
    def __init__(self):
        super().__init__(); self.f, self.b = nn.GRU(1, 24, batch_first=True), nn.GRU(1, 24, batch_first=True)
        self.of, self.ob = nn.Linear(24, 1), nn.Linear(24, 1)
    def forward(self, x):
        ahead = self.of(self.f(x)[0])
        back = self.ob(self.b(x.flip(1))[0]).flip(1)
        return ahead, back
t = torch.arange(40) * 0.3; x = torch.sin(t[None] * (0.5 + torch.rand(400, 1)) + 6 * torch.rand(400, 1))[..., None] + 0.05 * torch.randn(400, 40, 1)
net = Both(); opt = torch.optim.Adam(net.parameters(), 5e-3)
for epoch in range(5):
    for (a,) in DataLoader(TensorDataset(x), 32, shuffle=True):
        ahead, back = net(a)
        loss = F.mse_loss(ahead[:, :-1], a[:, 1:]) + F.mse_loss(back[:, 1:], a[:, :-1])
        opt.zero_grad(); loss.backward(); opt.step()
    print("RESULT", loss.item())
