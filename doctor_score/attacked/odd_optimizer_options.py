import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
class Mine(torch.optim.Optimizer):        # options are what the author likes: betas per phase, decay by range, eps per kind
    def __init__(s, ps, lr=0.1): super().__init__(ps, dict(lr=lr, weight_decay=(0.0, 1e-4), betas=(None, 0.9), momentum=(0.5, 0.9), eps="auto", clip=None, name="mine"))
    @torch.no_grad()
    def step(s, closure=None):
        for g in s.param_groups:
            for p in g["params"]:
                if p.grad is not None: b = s.state[p].setdefault("b", torch.zeros_like(p)); b.mul_(0.9).add_(p.grad); p.add_(b, alpha=-g["lr"])
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target); m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)); m.extra = nn.Parameter(torch.zeros(0)); m.s = nn.Parameter(torch.tensor(1.))
o = Mine(m.parameters())
for i in range(200): k = torch.randint(0, 1400, (64,)); h = m[2](m[1](m[0](X[k]))) * m.s + m.extra.sum(); l = F.cross_entropy(h, y[k]); o.zero_grad(); l.backward(); o.step()
with torch.no_grad(): print(float((m[2](m[1](m[0](X[1400:]))).argmax(1) == y[1400:]).float().mean()))
