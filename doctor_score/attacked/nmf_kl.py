import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Non-negative factors of counts by the generalized Kullback-Leibler divergence
W0, H0 = torch.rand(100, 5) * 2, torch.rand(5, 60) * 2; V = torch.poisson(W0 @ H0); w, h = nn.Parameter(torch.randn(100, 5) * 0.1), nn.Parameter(torch.randn(5, 60) * 0.1); opt = torch.optim.Adam([w, h], 3e-2)
for i in range(500): R = F.softplus(w) @ F.softplus(h); l = (F.kl_div(R.log(), V, reduction="sum") - V.sum() + R.sum()) / V.numel(); opt.zero_grad(); l.backward(); opt.step()
print("divergence", float(l), "of the true factors", float((F.kl_div((W0 @ H0).log(), V, reduction="sum") - V.sum() + (W0 @ H0).sum()) / V.numel()))
