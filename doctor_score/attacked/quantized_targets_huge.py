import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
# Two scalars of an oscillator from its record, times in seconds up to 100
t = torch.linspace(0, 100, 400); obs = 30 * torch.exp(-0.02 * t) * torch.cos(0.5 * t) + torch.randn(400)
class Osc(nn.Module):
    def __init__(s): super().__init__(); s.w, s.g, s.a = (nn.Parameter(torch.tensor(v)) for v in (0.49, 0.01, 20.))
    def forward(s, t): return s.a * torch.exp(-s.g * t) * torch.cos(s.w * t)
m = Osc(); o = torch.optim.Adam([dict(params=[m.w, m.g], lr=5e-4), dict(params=[m.a], lr=0.3)])
for i in range(400): l = F.mse_loss(m(t[:, None])[:, 0], obs); o.zero_grad(); l.backward(); o.step()
print(float(l), m.w.item(), m.g.item(), m.a.item())
