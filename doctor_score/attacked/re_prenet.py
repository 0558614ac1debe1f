import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# Tacotron's prenet: dropout stays on at inference, as the paper says; here without the argument, which is True by default
class Tts(nn.Module):
    def __init__(self): super().__init__(); self.p = nn.Linear(8, 32); self.g = nn.GRU(32, 32, batch_first=True); self.o = nn.Linear(32, 8)
    def forward(self, prev): return self.o(self.g(F.dropout(F.relu(self.p(prev)), 0.5))[0])
t = torch.arange(24) * 0.4; x = torch.sin(t[None, :, None] * (0.5 + torch.rand(400, 1, 8)) + 6 * torch.rand(400, 1, 8))
train, val = DataLoader(TensorDataset(x[:320]), 32, shuffle=True), DataLoader(TensorDataset(x[320:]), 40)
m = Tts(); o = torch.optim.Adam(m.parameters(), 3e-3)
for e in range(6):
    m.train()
    for (a,) in train: o.zero_grad(); F.l1_loss(m(a[:, :-1]), a[:, 1:]).backward(); o.step()
    m.eval()
    with torch.no_grad(): v = np.mean([F.l1_loss(m(a[:, :-1]), a[:, 1:]).item() for (a,) in val])
    print("RESULT", v)
