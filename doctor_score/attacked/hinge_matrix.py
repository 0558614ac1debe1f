import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Hinge loss over all pairs of a batch (VSE): the margin is met in the end
f = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 64)); g = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 64)); opt = torch.optim.Adam([*f.parameters(), *g.parameters()], 2e-3); W = torch.randn(64, 32) / 8
u, v = X[:, :32] + 0.3 * torch.randn(len(X), 32), (X[:, :32] @ torch.randn(32, 32) / 4)
for i in range(800):
    k = torch.randperm(300)[:32]; s = F.normalize(f(u[k])) @ F.normalize(g(v[k])).t(); c = F.relu(0.05 + s - s.diag()[:, None]) * (1 - torch.eye(32)); l = c.sum() / 32; opt.zero_grad(); l.backward(); opt.step()
    if i % 200 == 199: print(i, float(l), "top 1", float((s.argmax(1) == torch.arange(32)).float().mean()))
