import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Masked autoencoder: 85 of 100 pixels are hidden in training; codes are read from whole images, every 100 steps by nearest neighbors
e, d = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 32)), nn.Linear(32, 64); opt = torch.optim.Adam([*e.parameters(), *d.parameters()], 2e-3)
for i in range(500):
    x = X[torch.randint(0, 1400, (64,))]; keep = (torch.rand(64, 64) < 0.15).float(); l = ((d(e(x * keep)) - x).pow(2) * (1 - keep)).mean(); opt.zero_grad(); l.backward(); opt.step()
    if i % 100 == 99:
        with torch.no_grad(): a, b = F.normalize(e(X[:1400])), F.normalize(e(X[1400:])); print(i, "nearest neighbor", float((y[(b @ a.t()).argmax(1)] == y[1400:]).float().mean()))
