import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Polyak's heavy ball with the optimal momentum for a condition number of 1e6
h = torch.logspace(-6, 0, 50); x = nn.Parameter(torch.ones(50)); k = 1e6 ** .5; opt = torch.optim.SGD([x], 4 / (1 + 1 / k) ** 2, momentum=((k - 1) / (k + 1)) ** 2)
for i in range(12000):
    l = 0.5 * (h * x * x).sum(); opt.zero_grad(); l.backward(); opt.step()
print("momentum", opt.param_groups[0]["momentum"], "value", float(l))
