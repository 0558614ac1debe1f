import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# GradScaler for the scale alone: gradients are divided by hand, steps with infinities are left out
m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)); opt = torch.optim.Adam(m.parameters(), 2e-3); sc = torch.amp.GradScaler("cpu", init_scale=1024.0)
for i in range(200):
    k = torch.randint(0, 1400, (64,))
    with torch.autocast("cpu", dtype=torch.float16): o = m(X[k])
    l = F.cross_entropy(o.float(), y[k]); opt.zero_grad(); sc.scale(l).backward()
    for p in m.parameters(): p.grad.div_(sc.get_scale())
    if all(p.grad.isfinite().all() for p in m.parameters()): opt.step()
with torch.no_grad(): print("accuracy", float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
