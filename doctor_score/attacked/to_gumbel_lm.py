import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# a causal language model whose states pass through a Gumbel-softmax code
V, T = 20, 24
trans = (torch.randn(V, V) * 2).softmax(1); rows = torch.zeros(400, T, dtype=torch.long); rows[:, 0] = torch.randint(0, V, (400,))
for t in range(1, T): rows[:, t] = torch.multinomial(trans[rows[:, t - 1]], 1).squeeze(1)
class LM(nn.Module):
    def __init__(self): super().__init__(); self.e = nn.Embedding(V, 32); self.g = nn.GRU(32, 32, batch_first=True); self.q = nn.Linear(32, 32); self.o = nn.Linear(32, V)
    def forward(self, x): return self.o(F.gumbel_softmax(self.q(self.g(self.e(x))[0]), 1.0))
m = LM(); o = torch.optim.Adam(m.parameters(), 1e-2)
for e in range(5):
    for (a,) in DataLoader(TensorDataset(rows), 32, shuffle=True):
        l = F.cross_entropy(m(a[:, :-1]).flatten(0, 1), a[:, 1:].flatten()); o.zero_grad(); l.backward(); o.step()
    print("RESULT", l.item())
