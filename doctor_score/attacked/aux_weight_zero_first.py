import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
class Net(nn.Module):
    def __init__(s): super().__init__(); s.body = nn.Sequential(nn.Linear(64, 128), nn.ReLU()); s.cls = nn.Linear(128, 10); s.rec = nn.Linear(128, 64)
    def forward(s, x): h = s.body(x); return s.cls(h), s.rec(h)
m = Net(); opt = torch.optim.Adam(m.parameters(), 1e-3)
for i in range(300):       # the reconstruction joins after 30 steps of warm-up
    w = 0.0 if i < 30 else 0.5; k = torch.randint(0, 1400, (64,)); o, r = m(X[k]); l = F.cross_entropy(o, y[k]) + w * F.mse_loss(r, X[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): o, r = m(X[1400:]); print(float((o.argmax(1) == y[1400:]).float().mean()), float(F.mse_loss(r, X[1400:])))
