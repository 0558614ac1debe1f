import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Normalized gradient descent: gradients are cut to norm 1 on purpose, the rate is the length of a step
x = torch.randn(2000, 8); t = 40 * (x[:, :1] * 2 - x[:, 1:2]) + 10 * x[:, 2:3].pow(2)
m = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 1)); opt = torch.optim.SGD(m.parameters(), 0.1); sch = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 1500)
for i in range(1500):
    k = torch.randint(0, 1600, (64,)); l = F.mse_loss(m(x[k]), t[k]); opt.zero_grad(); l.backward(); nn.utils.clip_grad_norm_(m.parameters(), 1.0); opt.step(); sch.step()
with torch.no_grad(): print("explained", 1 - float(F.mse_loss(m(x[1600:]), t[1600:]) / t.var()))
