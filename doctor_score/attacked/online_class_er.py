import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Online class-incremental learning with experience replay: classes come one after the other, the memory's loss is added
tasks = [torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:1400][y[:1400] == c], y[:1400][y[:1400] == c]), 16, shuffle=True, drop_last=True) for c in range(10)]
m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)); opt = torch.optim.SGD(m.parameters(), 0.05); MX, MY = [], []
for c, dl in enumerate(tasks):
    for x, t in dl:
        for _ in range(2):
            l = F.cross_entropy(m(x), t)
            if MX: k = torch.randint(0, len(MX), (64,)); l = l + 3 * F.cross_entropy(m(torch.stack([MX[j] for j in k])), torch.stack([MY[j] for j in k]))
            opt.zero_grad(); l.backward(); opt.step()
        if c == 0 or len(MX) < 30 * (c + 1): MX += list(x[:6]); MY += list(t[:6])
with torch.no_grad(): print("accuracy over all ten", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
