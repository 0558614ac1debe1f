import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# All 512 rows of -1 and 1: majority; a part is kept for validation
from torch.utils.data import DataLoader, TensorDataset
x = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 9); t = (x.sum(1) > 0).long(); k = torch.randperm(512); tr, va = DataLoader(TensorDataset(x[k[:400]], t[k[:400]]), 32, shuffle=True), DataLoader(TensorDataset(x[k[400:]], t[k[400:]]), 112)
m = nn.Sequential(nn.Linear(9, 32), nn.ReLU(), nn.Linear(32, 2)); opt = torch.optim.Adam(m.parameters(), 5e-3)
for ep in range(20):
    for a, b in tr: l = F.cross_entropy(m(a), b); opt.zero_grad(); l.backward(); opt.step()
    with torch.no_grad(): acc = sum(float((m(a).argmax(1) == b).float().sum()) for a, b in va) / 112
print("validation accuracy", acc)
