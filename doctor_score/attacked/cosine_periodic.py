import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# CosineAnnealingLR beyond T_max goes up again: a smooth cyclic schedule, five half periods, ends low
m = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)); opt = torch.optim.SGD(m.parameters(), 0.2, momentum=0.9); sch = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=60, eta_min=0.02)
for i in range(300):
    k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step(); sch.step()
with torch.no_grad(): print("rate", sch.get_last_lr(), "accuracy", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
