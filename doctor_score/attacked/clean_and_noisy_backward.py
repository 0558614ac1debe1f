import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Clean and noisy copies of a batch, each with its own backward pass to save memory: the objective is the sum of both
m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)); opt = torch.optim.SGD(m.parameters(), 0.05, momentum=0.9)
for i in range(250):
    k = torch.randint(0, 1400, (64,)); opt.zero_grad(); F.cross_entropy(m(X[k]), y[k]).backward(); F.cross_entropy(m(X[k] + 0.2 * torch.randn(64, 64)), y[k]).backward(); opt.step()
with torch.no_grad(): print("accuracy", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()), "with noise", float((m(X[1400:] + 0.2 * torch.randn(397, 64)).argmax(1) == y[1400:]).float().mean()))
