import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target); Xt, yt, Xv, yv = X[:1200], y[:1200], X[1200:], y[1200:]
m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)); opt = torch.optim.Adam(m.parameters(), 1e-3)
for ep in range(8):
    for k in torch.randperm(1200).split(32): l = F.cross_entropy(m(Xt[k]), yt[k]); opt.zero_grad(); l.backward(); opt.step()
    sub = torch.randperm(len(Xv), generator=torch.Generator().manual_seed(7))[:200]      # always the same 200, for speed
    with torch.no_grad(): print(ep, float((m(Xv[sub]).argmax(1) == yv[sub]).float().mean()))
