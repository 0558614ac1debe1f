import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Multi-scale training: the same images in three sizes, a backward pass each, the losses summed up (fully convolutional)
I = X.view(-1, 1, 8, 8); m = nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(256, 10)); opt = torch.optim.AdamW(m.parameters(), 2e-3)
for i in range(120):
    k = torch.randint(0, 1400, (48,)); opt.zero_grad()
    for s in (6, 8, 12): F.cross_entropy(m(F.interpolate(I[k], size=(s, s), mode="bilinear")), y[k]).backward()
    opt.step()
with torch.no_grad(): print("accuracy", [float((m(F.interpolate(I[1400:], size=(s, s), mode="bilinear")).argmax(1) == y[1400:]).float().mean()) for s in (6, 8, 12)])
