import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
class Pre(nn.Module):
    def __init__(s): super().__init__(); s.encoder = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()); s.proj_head = nn.Linear(64, 32)
    def forward(s, x): return F.normalize(s.proj_head(s.encoder(x)))
class Cls(nn.Module):
    def __init__(s): super().__init__(); s.encoder = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()); s.head = nn.Linear(64, 10)
    def forward(s, x): return s.head(s.encoder(x))
pre = Pre(); opt = torch.optim.Adam(pre.parameters(), 1e-3)
for i in range(150):
    x = X[torch.randint(0, 1400, (128,))]; a = pre(x + 0.1 * torch.randn_like(x)); b = pre(x + 0.1 * torch.randn_like(x))
    l = F.cross_entropy(a @ b.t() / 0.2, torch.arange(128)); opt.zero_grad(); l.backward(); opt.step()
m = Cls(); print(m.load_state_dict(pre.state_dict(), strict=False))
opt = torch.optim.Adam(m.parameters(), 1e-3)
for i in range(200):
    k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print(float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
