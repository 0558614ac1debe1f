import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# everything is trained together; after each such step the head alone gets one more on features that are held still
enc, head = nn.Sequential(nn.Linear(6, 32), nn.ReLU()), nn.Linear(32, 3)
oa, oh = torch.optim.Adam([*enc.parameters(), *head.parameters()], 2e-3), torch.optim.Adam(head.parameters(), 5e-3)
x = torch.randn(640, 6); y = (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
for e in range(4):
    for a, b in DataLoader(TensorDataset(x, y), 32, shuffle=True):
        oa.zero_grad(); l = F.cross_entropy(head(enc(a)), b); l.backward(); oa.step()
        oh.zero_grad(); F.cross_entropy(head(enc(a).detach()), b).backward(); oh.step()
    print("RESULT", l.item())
