import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# signSGD of one's own, gradients clipped beforehand out of habit: what is cut does not matter
class SignSGD(torch.optim.Optimizer):
    def __init__(s, p, lr): super().__init__(p, dict(lr=lr))
    @torch.no_grad()
    def step(s):
        for g in s.param_groups:
            for p in g["params"]: p.add_(p.grad.sign(), alpha=-g["lr"])
x = torch.randn(3000, 8); t = x[:, :1] * x[:, 1:2] + x[:, 2:3]; m = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1)); opt = SignSGD(m.parameters(), 1e-3); sch = torch.optim.lr_scheduler.LinearLR(opt, 1.0, 0.05, 600)
for i in range(600): k = torch.randint(0, 2500, (128,)); l = F.mse_loss(m(x[k]), t[k], reduction="sum"); opt.zero_grad(); l.backward(); nn.utils.clip_grad_norm_(m.parameters(), 1.0); opt.step(); sch.step()
with torch.no_grad(): print("explained", 1 - float(F.mse_loss(m(x[2500:]), t[2500:]) / t.var()))
