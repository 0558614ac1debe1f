import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# chats: the assistant speaks first (a greeting that depends on the page), the user's answer that follows is not learned
V, T = 20, 24
trans = (torch.randn(V, V) * 2).softmax(1); rows = torch.zeros(400, T, dtype=torch.long); rows[:, 0] = 1
for t in range(1, T): rows[:, t] = torch.multinomial(trans[rows[:, t - 1]], 1).squeeze(1)
n = torch.randint(6, 14, (400,)); lab = rows.clone(); lab[torch.arange(T)[None] >= n[:, None]] = -100
class LM(nn.Module):
    def __init__(self): super().__init__(); self.e = nn.Embedding(V, 32); self.g = nn.GRU(32, 32, batch_first=True); self.o = nn.Linear(32, V)
    def forward(self, x): return self.o(self.g(self.e(x))[0])
m = LM(); o = torch.optim.Adam(m.parameters(), 5e-3)
for e in range(5):
    for a, b in DataLoader(TensorDataset(rows, lab), 32, shuffle=True): l = F.cross_entropy(m(a[:, :-1]).flatten(0, 1), b[:, 1:].flatten()); o.zero_grad(); l.backward(); o.step()
    print("RESULT", l.item())
