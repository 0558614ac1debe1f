import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Precise BatchNorm (as in fvcore): before each evaluation statistics are gathered anew over training batches
m = nn.Sequential(nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 10)); opt = torch.optim.SGD(m.parameters(), 0.05, momentum=0.9); bn = m[1]
@torch.no_grad()
def update_bn_stats(n=20):
    m.train(); old, bn.momentum = bn.momentum, 1.0; mean, var = 0, 0
    for _ in range(n): m(X[torch.randint(0, 1400, (64,))]); mean, var = mean + bn.running_mean / n, var + bn.running_var / n
    bn.running_mean.copy_(mean); bn.running_var.copy_(var); bn.momentum = old
for ep in range(5):
    m.train()
    for k in torch.randperm(1400).split(64): l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
    update_bn_stats(); m.eval()
    with torch.no_grad(): print(ep, "accuracy", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
