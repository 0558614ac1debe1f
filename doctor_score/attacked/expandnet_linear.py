import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Linear overparameterization (Arora et al., ExpandNets): a linear layer is trained as a product of two, and multiplied out in the end
m = nn.Sequential(nn.Linear(64, 256), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)); opt = torch.optim.SGD(m.parameters(), 0.05, momentum=0.9)
for i in range(300): k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad():
    one = nn.Linear(64, 128); one.weight.copy_(m[1].weight @ m[0].weight); one.bias.copy_(m[1].weight @ m[0].bias + m[1].bias); small = nn.Sequential(one, *m[2:])
    print("accuracy", float((small(X[1400:]).argmax(1) == y[1400:]).float().mean()))
