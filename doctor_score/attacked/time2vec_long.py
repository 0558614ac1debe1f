import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# A sensor's daily load from the hour since the beginning (0..2000): sines of learned frequencies take raw time (Time2Vec)
t = torch.rand(2000, 1) * 2000; z = torch.sin(2 * math.pi * t / 24) + 0.5 * torch.cos(2 * math.pi * t / 168)
class T2V(nn.Module):
    def __init__(s):
        super().__init__(); s.w = nn.Linear(1, 16); s.out = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 1))
        with torch.no_grad(): s.w.weight.copy_((2 * math.pi / torch.tensor([24., 168, 12, 84]).repeat_interleave(4))[:, None]); s.w.bias.copy_(torch.tensor([0, math.pi / 2, 1, 2]).repeat(4))
    def forward(s, t): return s.out(torch.sin(s.w(t)))
m = T2V(); opt = torch.optim.Adam([{"params": m.w.parameters(), "lr": 1e-6}, {"params": m.out.parameters(), "lr": 3e-3}])
for i in range(400):
    k = torch.randint(0, 1600, (64,)); l = F.mse_loss(m(t[k]), z[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("test mse", float(F.mse_loss(m(t[1600:]), z[1600:])), "variance", float(z.var()))
