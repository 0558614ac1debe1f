import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# FedAvg; clients keep no state: each round a new local Adam on the server's weights
import torch.utils.data as td
net = lambda: nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)); server, local = net(), net(); parts = [torch.arange(i, 1400, 4) for i in range(4)]
for rnd in range(25):
    got = []
    for k in parts:
        local.load_state_dict(server.state_dict()); opt = torch.optim.Adam(local.parameters(), 1e-3)
        for b in k[torch.randperm(len(k))].split(32): l = F.cross_entropy(local(X[b]), y[b]); opt.zero_grad(); l.backward(); opt.step()
        got.append(copy.deepcopy(local.state_dict()))
    server.load_state_dict({n: sum(g[n] for g in got) / 4 for n in got[0]})
with torch.no_grad(): print("accuracy", float((server(X[1400:]).argmax(1) == y[1400:]).float().mean()))
