import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# One picture of each of 100 people to learn from, five to be recognized
from torch.utils.data import DataLoader, TensorDataset
c = torch.randn(100, 32); tr = TensorDataset(c + 0.3 * torch.randn(100, 32), torch.arange(100)); lab = torch.arange(100).repeat(5); va = TensorDataset(c[lab] + 0.3 * torch.randn(500, 32), lab)
m = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 100)); opt = torch.optim.Adam(m.parameters(), 3e-3); train, val = DataLoader(tr, 20, shuffle=True), DataLoader(va, 250)
for ep in range(40):
    for a, b in train: l = F.cross_entropy(m(a), b); opt.zero_grad(); l.backward(); opt.step()
    with torch.no_grad(): acc = sum(float((m(a).argmax(1) == b).float().sum()) for a, b in val) / 500
print("accuracy", acc)
