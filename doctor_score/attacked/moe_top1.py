import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
class MoE(nn.Module):        # top-1 of 16 experts with a balance loss
    def __init__(s, n=16): super().__init__(); s.g = nn.Linear(64, n); s.e = nn.ModuleList(nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)) for _ in range(n)); s.n = n
    def forward(s, x):
        p = s.g(x).softmax(1); w, k = p.max(1); out = x.new_zeros(len(x), 10)
        for i, e in enumerate(s.e): at = (k == i).nonzero()[:, 0]; out = out.index_add(0, at, e(x[at]) * w[at, None])
        return out, s.n * (F.one_hot(k, s.n).float().mean(0) * p.mean(0)).sum()
m = MoE(); opt = torch.optim.Adam(m.parameters(), 3e-3)
for i in range(400): k = torch.randint(0, 1400, (32,)); o, b = m(X[k]); l = F.cross_entropy(o, y[k]) + 0.01 * b; opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print(float((m(X[1400:])[0].argmax(1) == y[1400:]).float().mean()))
