import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Monte Carlo dropout, 30 samples in one pass: rows are repeated
x = torch.rand(400, 1) * 4 - 2; t = torch.sin(2 * x) + 0.1 * torch.randn_like(x); m = nn.Sequential(nn.Linear(1, 128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 1)); opt = torch.optim.Adam(m.parameters(), 3e-3)
for ep in range(60):
    for k in torch.randperm(300).split(50): l = F.mse_loss(m(x[k]), t[k]); opt.zero_grad(); l.backward(); opt.step()
    if ep % 10 == 9:
        with torch.no_grad(): p = m(x[300:].repeat(30, 1)).view(30, 100); print(ep, "rmse", float((p.mean(0) - t[300:, 0]).pow(2).mean().sqrt()), "uncertainty", float(p.std(0).mean()))
