import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
L = []
for i in range(5): L += [nn.Linear(64 if i == 0 else 128, 128), nn.LayerNorm(128), nn.GELU()]
m = nn.Sequential(*L, nn.Linear(128, 10)); nn.init.zeros_(m[-1].weight); nn.init.zeros_(m[-1].bias); opt = torch.optim.SGD(m.parameters(), 0.02, momentum=0.9)
sch = torch.optim.lr_scheduler.LinearLR(opt, 1e-3, 1.0, 40)
for i in range(400): k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step(); sch.step()
with torch.no_grad(): print(float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
