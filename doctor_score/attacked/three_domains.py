import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Three domains (plain, inverted, turned), a loss and a backward pass each; the objective is their sum
m = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10)); opt = torch.optim.Adam(m.parameters(), 1e-3); dom = [X, 1 - X, X.view(-1, 8, 8).transpose(1, 2).reshape(-1, 64)]
for i in range(250):
    opt.zero_grad()
    for Z in dom: k = torch.randint(0, 1400, (64,)); F.cross_entropy(m(Z[k]), y[k]).backward()
    opt.step()
with torch.no_grad(): print("accuracy", [float((m(Z[1400:]).argmax(1) == y[1400:]).float().mean()) for Z in dom])
