import copy, math, os, random, tempfile, itertools
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, Subset, random_split
from torch.distributions import Categorical, Normal, Bernoulli

torch.manual_seed(0)
# a sweep with one optimizer: each setting is trained for one epoch from the same weights on the same order of samples
x = torch.randn(640, 8); y = (x[:, :1] * x[:, 1:2]).tanh(); m = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1)); o = torch.optim.SGD(m.parameters(), 1e-3); m0 = copy.deepcopy(m.state_dict())
for lr in (1e-2, 3e-2, 0.1, 0.3):
    torch.manual_seed(1); m.load_state_dict(m0); o.param_groups[0]["lr"] = lr
    for i in torch.randperm(640).split(16): o.zero_grad(); l = F.mse_loss(m(x[i]), y[i]); l.backward(); o.step()
    print("RESULT", lr, F.mse_loss(m(x), y).item())
