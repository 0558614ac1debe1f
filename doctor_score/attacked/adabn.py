import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# AdaBN: statistics of BatchNorm are adapted by passes over unlabelled samples of the target domain
m = nn.Sequential(nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 10)); opt = torch.optim.Adam(m.parameters(), 2e-3); Z = 0.5 * X + 0.4
for ep in range(8):
    m.train()
    for k in torch.randperm(1200).split(64): l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
m.eval()
with torch.no_grad(): print("target before", float((m(Z[1500:]).argmax(1) == y[1500:]).float().mean()))
m.train()
with torch.no_grad():
    for _ in range(3):
        for k in torch.arange(1200, 1500).split(100): m(Z[k])
m.eval()
with torch.no_grad(): print("target after", float((m(Z[1500:]).argmax(1) == y[1500:]).float().mean()))
