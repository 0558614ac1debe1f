import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Clicks, 3 of 100, hardly to be told: what counts is the log loss beside that of the mean rate
x = torch.randn(30000, 8); p = torch.sigmoid(-3.6 + 0.25 * x[:, 0]); t = torch.bernoulli(p).long(); m = nn.Linear(8, 2); nn.init.zeros_(m.weight); m.bias.data = torch.log(torch.tensor([0.97, 0.03])); opt = torch.optim.Adam(m.parameters(), 1e-3)
for ep in range(3):
    for k in torch.randperm(20000).split(256): l = F.cross_entropy(m(x[k]), t[k]); opt.zero_grad(); l.backward(); opt.step()
    with torch.no_grad(): print(ep, "log loss", float(F.cross_entropy(m(x[20000:]), t[20000:])), "true rates", float(F.binary_cross_entropy(p[20000:], t[20000:].float())), "mean rate", float(F.binary_cross_entropy(torch.full((10000,), float(t[:20000].float().mean())), t[20000:].float())))
