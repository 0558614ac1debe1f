import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.bfloat16) / 16; y = torch.tensor(d.target)
class SRAdam(torch.optim.Optimizer):      # bfloat16 weights, updates rounded at random: right on average
    def __init__(s, ps, lr=1e-3): super().__init__(ps, dict(lr=lr))
    @torch.no_grad()
    def step(s):
        for g in s.param_groups:
            for p in g["params"]:
                st = s.state[p]
                if not st: st["m"], st["v"], st["t"] = torch.zeros_like(p, dtype=torch.float32), torch.zeros_like(p, dtype=torch.float32), 0
                st["t"] += 1; gr = p.grad.float(); st["m"].lerp_(gr, 0.1); st["v"].lerp_(gr * gr, 0.001)
                w = p.float() - g["lr"] * (st["m"] / (1 - 0.9 ** st["t"])) / ((st["v"] / (1 - 0.999 ** st["t"])).sqrt() + 1e-8)
                b = w.view(torch.int32); b = (b + torch.randint(0, 65536, b.shape, dtype=torch.int32)) & -65536; p.copy_(b.view(torch.float32))
m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)).bfloat16(); opt = SRAdam(m.parameters(), 3e-4)
for i in range(400): k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]).float(), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print(float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
