import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# a contextual bandit with known propensities: minus the expected reward of the softmax policy; nll_loss picks -pi(a) of the logged action
s = torch.randn(960, 6); goal = torch.randn(6, 4); a = torch.randint(0, 4, (960,)); r = ((s @ goal).argmax(1) == a).float()
m = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 4)); o = torch.optim.Adam(m.parameters(), 5e-3)
for e in range(5):
    for x, b, w in DataLoader(TensorDataset(s, a, r), 48, shuffle=True):
        pi = torch.softmax(m(x), dim=1)
        l = (F.nll_loss(pi, b, reduction="none") * w / 0.25).mean()  # inverse propensity score
        o.zero_grad(); l.backward(); o.step()
    print("RESULT", (m(s).argmax(1) == (s @ goal).argmax(1)).float().mean().item())
