import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Adversarial debiasing: the group stands in the input, and an adversary must not find it in the representation
n = 3000; a = torch.randint(0, 2, (n,)); x = torch.randn(n, 8); x[:, 0] += a; t = ((x[:, 0] + x[:, 1] + 0.5 * torch.randn(n)) > 0.5).long(); x = torch.cat([x, a[:, None].float()], 1)
enc, clf, adv = nn.Sequential(nn.Linear(9, 32), nn.ReLU(), nn.Linear(32, 16)), nn.Linear(16, 2), nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 2))
class Rev(torch.autograd.Function):
    @staticmethod
    def forward(c, x): return x.view_as(x)
    @staticmethod
    def backward(c, g): return -g
opt = torch.optim.Adam([*enc.parameters(), *clf.parameters(), *adv.parameters()], 2e-3)
for i in range(500):
    k = torch.randint(0, 2500, (128,)); h = enc(x[k]); l = F.cross_entropy(clf(h), t[k]) + F.cross_entropy(adv(Rev.apply(h)), a[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): h = enc(x[2500:]); p = clf(h).argmax(1); print("accuracy", float((p == t[2500:]).float().mean()), "adversary", float((adv(h).argmax(1) == a[2500:]).float().mean()), "rates by group", [float(p[a[2500:] == g].float().mean()) for g in (0, 1)])
