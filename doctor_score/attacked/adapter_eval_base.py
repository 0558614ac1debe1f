import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
class Block(nn.Module):
    def __init__(s, n=64): super().__init__(); s.f, s.drop = nn.Linear(n, n), nn.Dropout(0.1); s.down, s.up = nn.Linear(n, 8), nn.Linear(8, n); nn.init.zeros_(s.up.weight); nn.init.zeros_(s.up.bias)
    def forward(s, x): h = x + s.drop(F.relu(s.f(x))); return h + s.up(F.relu(s.down(h)))
class Net(nn.Module):
    def __init__(s): super().__init__(); s.base = nn.Sequential(Block(), Block()); s.head = nn.Linear(64, 10); s.hd = nn.Dropout(0.1)
    def forward(s, x): return s.head(s.hd(s.base(x)))
m = Net(); o = torch.optim.Adam(m.parameters(), 1e-3)
for i in range(150): k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); o.zero_grad(); l.backward(); o.step()
for n, p in m.named_parameters(): p.requires_grad = any(k in n for k in ("down", "up", "head"))
Z = 1 - X; m.train(); m.base.eval()          # the frozen base works as in evaluation
o2 = torch.optim.Adam([p for p in m.parameters() if p.requires_grad], 3e-3)
for i in range(200): k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(Z[k]), y[k]); o2.zero_grad(); l.backward(); o2.step()
m.eval()
with torch.no_grad(): print(float((m(Z[1400:]).argmax(1) == y[1400:]).float().mean()))
