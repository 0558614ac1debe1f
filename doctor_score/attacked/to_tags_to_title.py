import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# a title from unordered tags: the encoder has no positions on purpose, the decoder has; rows of tags are padded with 0
V, W = 40, 20
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.s, self.t, self.p = nn.Embedding(V, 32, padding_idx=0), nn.Embedding(W, 32), nn.Embedding(16, 32)
        self.n = nn.Transformer(32, 4, 1, 1, 64, 0.0, batch_first=True); self.o = nn.Linear(32, W)
    def forward(self, s, t):
        pad = s == 0; T = t.shape[1]
        return self.o(self.n(self.s(s), self.t(t) + self.p(torch.arange(T)), tgt_mask=torch.triu(torch.ones(T, T, dtype=torch.bool), 1), src_key_padding_mask=pad, memory_key_padding_mask=pad))
src = torch.zeros(400, 10, dtype=torch.long); tgt = torch.zeros(400, 7, dtype=torch.long)
for i in range(400):
    k = int(torch.randint(4, 10, ())); tags = torch.randperm(V - 1)[:k] + 1; src[i, :k] = tags; tgt[i, 0] = 1; tgt[i, 1:5] = (tags.sort().values[:4] // 2.3).long().clamp(max=17) + 2; tgt[i, 5:] = 2
m = Net(); o = torch.optim.Adam(m.parameters(), 2e-3)
for e in range(5):
    for a, b in DataLoader(TensorDataset(src, tgt), 32, shuffle=True): o.zero_grad(); l = F.cross_entropy(m(a, b[:, :-1]).flatten(0, 1), b[:, 1:].flatten()); l.backward(); o.step()
    print("RESULT", l.item())
