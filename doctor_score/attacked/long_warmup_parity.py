import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Parity of 3 of 10 bits, a long warm-up: at first all is one class, as must be
x = torch.randint(0, 2, (8000, 10)).float(); t = x[:, :3].sum(1).long() % 2; x = x * 2 - 1; m = nn.Sequential(nn.Linear(10, 128), nn.ReLU(), nn.Linear(128, 2)); nn.init.zeros_(m[2].weight); opt = torch.optim.Adam(m.parameters(), 1e-2); sch = torch.optim.lr_scheduler.LinearLR(opt, 1e-4, 1.0, 300)
for i in range(600):
    k = torch.randint(0, 7000, (128,)); l = F.cross_entropy(m(x[k]), t[k]); opt.zero_grad(); l.backward(); opt.step(); sch.step()
    if i % 60 == 59:
        with torch.no_grad(): o = m(x[7000:]); print(i, float(F.cross_entropy(o, t[7000:])), "accuracy", float((o.argmax(1) == t[7000:]).float().mean()))
