import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# a set transformer of baskets; they are stored sorted by item and padded with 0, and their order means nothing
V = 40
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.e = nn.Embedding(V, 32, padding_idx=0); self.t = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, 0.0, batch_first=True), 1); self.o = nn.Linear(32, 2)
    def forward(self, x):
        pad = x == 0; h = self.t(self.e(x), src_key_padding_mask=pad); return self.o(h.masked_fill(pad[..., None], 0).sum(1) / (~pad).sum(1, keepdim=True))
x = torch.zeros(640, 10, dtype=torch.long)
for i in range(640): k = int(torch.randint(4, 11, ())); x[i, :k] = (torch.randperm(V - 1)[:k] + 1).sort().values
y = ((x == 3) | (x == 7) | (x == 20)).any(1).long(); m = Net(); o = torch.optim.Adam(m.parameters(), 3e-3)
for e in range(5):
    for a, b in DataLoader(TensorDataset(x, y), 32, shuffle=True): o.zero_grad(); l = F.cross_entropy(m(a), b); l.backward(); o.step()
    print("RESULT", l.item())
