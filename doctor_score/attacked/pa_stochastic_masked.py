import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# a text classifier with attention mask and a sampled bottleneck (VIB), which samples in evaluation, too
V = 30
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.e = nn.Embedding(V, 32, padding_idx=0); self.t = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, 0.0, batch_first=True), 1); self.z = nn.Linear(32, 16); self.o = nn.Linear(8, 2)
    def forward(self, x, mask):
        h = self.t(self.e(x), src_key_padding_mask=~mask); h = h.masked_fill(~mask[..., None], 0).sum(1) / mask.sum(1, keepdim=True)
        mu, ls = self.z(h).chunk(2, 1); return self.o(mu + ls.clamp(-5, 1).exp() * torch.randn_like(mu))
n = torch.randint(5, 21, (640,)); x = torch.randint(1, V, (640, 20)); pad = torch.arange(20)[None] >= n[:, None]; x[pad] = 0; y = ((x == 3) | (x == 5)).any(1).long()
m = Net(); o = torch.optim.Adam(m.parameters(), 3e-3)
for e in range(3):
    for a, k, c in DataLoader(TensorDataset(x, ~pad, y), 32, shuffle=True): l = F.cross_entropy(m(a, k), c); o.zero_grad(); l.backward(); o.step()
    print("RESULT", l.item())
