import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# architecture search: the mixing weights are tuned by an optimizer of their own that is made after three epochs of warm-up
class Mixed(nn.Module):
    def __init__(self):
        super().__init__(); self.i = nn.Linear(8, 32); self.ops = nn.ModuleList([nn.Linear(32, 32) for _ in range(3)]); self.alpha = nn.Parameter(1e-3 * torch.randn(3)); self.o = nn.Linear(32, 1)
    def forward(self, x): h = torch.relu(self.i(x)); w = self.alpha.softmax(0); return self.o(sum(a * f(op(h)) for a, op, f in zip(w, self.ops, (torch.relu, torch.tanh, torch.sin))))
x = torch.randn(768, 8); y = (x[:, :1] * x[:, 1:2]).tanh(); m = Mixed()
ow = torch.optim.SGD([p for n, p in m.named_parameters() if n != "alpha"], 0.05, 0.9); oa = None
for e in range(6):
    if e == 3: oa = torch.optim.Adam([m.alpha], 3e-3, (0.5, 0.999))
    for (a, b), (c, d) in zip(DataLoader(TensorDataset(x[:384], y[:384]), 32, shuffle=True), DataLoader(TensorDataset(x[384:], y[384:]), 32, shuffle=True)):
        if oa: oa.zero_grad(); F.mse_loss(m(c), d).backward(); oa.step()
        m.zero_grad(); l = F.mse_loss(m(a), b); l.backward(); ow.step()
    print("RESULT", l.item(), m.alpha.softmax(0).tolist())
