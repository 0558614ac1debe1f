import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# Linear evaluation as in MoCo's main_lincls.py: model.eval() while only fc is trained, so that BatchNorm keeps its statistics
class Net(nn.Module):
    def __init__(s): super().__init__(); s.body = nn.Sequential(nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 64), nn.BatchNorm1d(64), nn.ReLU()); s.fc = nn.Linear(64, 32)
    def forward(s, x): return s.fc(s.body(x))
m = Net(); opt = torch.optim.Adam(m.parameters(), 1e-3)
for i in range(200):
    x = X[torch.randint(0, 1400, (128,))]; a, b = (F.normalize(m(x + 0.1 * torch.randn_like(x))) for _ in range(2))
    l = F.cross_entropy(a @ b.t() / 0.2, torch.arange(128)); opt.zero_grad(); l.backward(); opt.step()
for p in m.parameters(): p.requires_grad = False
m.fc = nn.Linear(64, 10); opt = torch.optim.SGD(m.fc.parameters(), 0.5, momentum=0.9)
m.eval()
for i in range(300):
    k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("accuracy", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
