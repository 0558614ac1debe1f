import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Quantiles by stochastic approximation: the rate is a / t, set by hand
q = nn.Parameter(torch.zeros(3)); tau = torch.tensor([0.1, 0.5, 0.9]); opt = torch.optim.SGD([q], 1.0)
for i in range(6000):
    for g in opt.param_groups: g["lr"] = 4.0 / (1 + i)
    z = torch.randn(8, 1); e = z - q; l = torch.maximum(tau * e, (tau - 1) * e).mean(0).sum(); opt.zero_grad(); l.backward(); opt.step()
print("quantiles", q.tolist(), "true", torch.distributions.Normal(0, 1).icdf(tau).tolist())
