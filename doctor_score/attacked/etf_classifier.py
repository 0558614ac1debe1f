import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Neural collapse: the classifier is a fixed simplex frame, only features are learned
class Net(nn.Module):
    def __init__(s):
        super().__init__(); s.body = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 32)); q, _ = torch.linalg.qr(torch.randn(32, 10)); s.fc = nn.Linear(32, 10, bias=False)
        s.fc.weight.data.copy_(((10 / 9) ** .5 * q @ (torch.eye(10) - 0.1)).t()); s.fc.weight.requires_grad_(False)
    def forward(s, x): return 10 * s.fc(F.normalize(s.body(x)))
m = Net(); opt = torch.optim.SGD(m.parameters(), 0.1, momentum=0.9)
for i in range(300):
    k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("accuracy", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
