import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target); mk = lambda: nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)); acc = lambda m: float((m(X[1400:]).argmax(1) == y[1400:]).float().mean())

m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10)); o = torch.optim.Adam(m.parameters(), 2e-3)
for ep in range(8):
    m.train()
    for k in torch.randperm(1400).split(64): l = F.cross_entropy(m(X[k] + 0.1 * torch.randn(len(k), 64)), y[k]); o.zero_grad(); l.backward(); o.step()
    with torch.no_grad():       # uncertainty: dropout and noise of the sensor at once, twenty passes
        p = sum(m(X[1400:] + 0.1 * torch.randn(397, 64)).softmax(1) for _ in range(20)) / 20
    print(ep, float((p.argmax(1) == y[1400:]).float().mean()))
