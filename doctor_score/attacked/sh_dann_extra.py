import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# DANN by gradient reversal in one optimizer of all, and one more step of the domain classifier alone on detached features
class Rev(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x.clone()
    @staticmethod
    def backward(ctx, g): return -g
enc, head, dom = nn.Sequential(nn.Linear(6, 32), nn.ReLU()), nn.Linear(32, 2), nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
oa = torch.optim.Adam([*enc.parameters(), *head.parameters(), *dom.parameters()], 2e-3); od = torch.optim.Adam(dom.parameters(), 2e-3)
xs = torch.randn(640, 6); ys = (xs[:, 0] > 0).long(); xt = torch.randn(640, 6) + 0.7
for e in range(4):
    for (a, b), (t,) in zip(DataLoader(TensorDataset(xs, ys), 32, shuffle=True), DataLoader(TensorDataset(xt), 32, shuffle=True)):
        h = enc(torch.cat([a, t])); which = torch.cat([torch.zeros(len(a), 1), torch.ones(len(t), 1)])
        oa.zero_grad(); l = F.cross_entropy(head(h[: len(a)]), b) + 0.3 * F.binary_cross_entropy_with_logits(dom(Rev.apply(h)), which); l.backward(); oa.step()
        od.zero_grad(); F.binary_cross_entropy_with_logits(dom(enc(torch.cat([a, t])).detach()), which).backward(); od.step()
    print("RESULT", l.item())
