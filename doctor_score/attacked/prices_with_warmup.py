import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# House prices in thousands, a hundred steps of warm-up
x = torch.rand(4000, 6); t = (150 + 200 * x[:, :1] * x[:, 1:2] + 80 * x[:, 2:3] + 10 * torch.randn(4000, 1)); m = nn.Sequential(nn.Linear(6, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1)); opt = torch.optim.Adam(m.parameters(), 3e-3); sch = torch.optim.lr_scheduler.LinearLR(opt, 0.01, 1.0, 100)
for i in range(1000): k = torch.randint(0, 3200, (128,)); l = F.mse_loss(m(x[k]), t[k]); opt.zero_grad(); l.backward(); opt.step(); sch.step()
with torch.no_grad(): print("explained", 1 - float(F.mse_loss(m(x[3200:]), t[3200:]) / t.var()))
