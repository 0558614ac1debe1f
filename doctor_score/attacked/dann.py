import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target); S, ys = X[:900], y[:900]; T, yt = (X[900:] * 0.7 + 0.3), y[900:]      # the target's labels are for the score only
class Rev(torch.autograd.Function):
    @staticmethod
    def forward(c, x, a): c.a = a; return x.view_as(x)
    @staticmethod
    def backward(c, g): return -c.a * g, None
class Net(nn.Module):
    def __init__(s): super().__init__(); s.f = nn.Sequential(nn.Linear(64, 128), nn.ReLU()); s.c = nn.Linear(128, 10); s.d = nn.Sequential(nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 2))
    def forward(s, x, a=0.): h = s.f(x); return s.c(h), s.d(Rev.apply(h, a))
m = Net(); o = torch.optim.Adam(m.parameters(), 1e-3)
for ep in range(12):
    m.train()
    for a, b in zip(torch.randperm(900).split(64), torch.randperm(897).split(64)):
        c, e = m(torch.cat([S[a], T[b]]), 0.1); l = F.cross_entropy(c[:len(a)], ys[a]) + F.cross_entropy(e, torch.cat([torch.zeros(len(a)), torch.ones(len(b))]).long()); o.zero_grad(); l.backward(); o.step()
    m.eval()
    with torch.no_grad(): print(ep, float((m(T)[0].argmax(1) == yt).float().mean()))
