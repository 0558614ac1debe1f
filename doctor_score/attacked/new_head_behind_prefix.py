import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# The checkpoint's own fc is not wanted; the new classifier's last layer is called fc, too
class Pre(nn.Module):
    def __init__(s): super().__init__(); s.body = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()); s.fc = nn.Linear(64, 4)
    def forward(s, x): return s.fc(s.body(x))
class Head(nn.Module):
    def __init__(s): super().__init__(); s.norm = nn.LayerNorm(64); s.fc = nn.Linear(64, 10)
    def forward(s, h): return s.fc(s.norm(h))
class Cls(nn.Module):
    def __init__(s): super().__init__(); s.body = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()); s.head = Head()
    def forward(s, x): return s.head(s.body(x))
pre = Pre(); opt = torch.optim.Adam(pre.parameters(), 1e-3); V = X.view(-1, 8, 8)
for i in range(200): k, r = torch.randint(0, 1400, (64,)), int(torch.randint(0, 4, ())); l = F.cross_entropy(pre(torch.rot90(V[k], r, (1, 2)).flatten(1)), torch.full((64,), r)); opt.zero_grad(); l.backward(); opt.step()
m = Cls(); print(m.load_state_dict(pre.state_dict(), strict=False)); opt = torch.optim.Adam(m.parameters(), 2e-3)
for i in range(200): k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("accuracy", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
