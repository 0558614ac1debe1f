import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# AdaBN on a copy of the model; it is the copy's answers that are asked for then
m = nn.Sequential(nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 10)); opt = torch.optim.Adam(m.parameters(), 2e-3); Z = 0.5 * X + 0.4
def adapted(m):
    m.train()
    with torch.no_grad():
        for _ in range(10): [m(Z[k]) for k in torch.arange(1200, 1500).split(100)]
    t = copy.deepcopy(m).eval()
    with torch.no_grad(): return float((t(Z[1500:]).argmax(1) == y[1500:]).float().mean())
for ep in range(8):
    state = copy.deepcopy(m.state_dict())
    for k in torch.randperm(1200).split(64): l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
    before = copy.deepcopy(m.state_dict()); acc = adapted(m); m.load_state_dict(before)
print("target after adaptation", acc)
