import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_wine
torch.manual_seed(0)
d = load_wine(); X = torch.tensor(d.data, dtype=torch.float32); X = (X - X.mean(0)) / X.std(0); y = torch.tensor(d.target); p = torch.randperm(178)
m = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3)); opt = torch.optim.Adam(m.parameters(), 2e-2); sch = torch.optim.lr_scheduler.ExponentialLR(opt, 0.97)
for i in range(500): l = F.cross_entropy(m(X[p[:130]]), y[p[:130]]); opt.zero_grad(); l.backward(); opt.step(); sch.step()
with torch.no_grad(): print(float((m(X[p[130:]]).argmax(1) == y[p[130:]]).float().mean()), sch.get_last_lr())
