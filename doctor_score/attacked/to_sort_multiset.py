import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# numbers of a bag (some twice) are put out in order
V = 12
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.s, self.t, self.p = nn.Embedding(V, 32), nn.Embedding(V + 1, 32), nn.Embedding(16, 32)
        self.n = nn.Transformer(32, 4, 1, 1, 64, 0.0, batch_first=True); self.o = nn.Linear(32, V)
    def forward(self, bag, t):
        T = t.shape[1]; return self.o(self.n(self.s(bag), self.t(t) + self.p(torch.arange(T)), tgt_mask=torch.triu(torch.ones(T, T, dtype=torch.bool), 1)))
bag = torch.randint(0, V, (512, 8)); out = bag.sort(1).values; begin = torch.cat([torch.full((512, 1), V), out[:, :-1]], 1)
m = Net(); o = torch.optim.Adam(m.parameters(), 3e-3)
for e in range(6):
    for a, b, c in DataLoader(TensorDataset(bag, begin, out), 32, shuffle=True): o.zero_grad(); l = F.cross_entropy(m(a, b).flatten(0, 1), c.flatten()); l.backward(); o.step()
    print("RESULT", l.item())
