import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# A single integrator is brought to a goal with the least effort: the best plan is a constant speed
u = nn.Parameter(torch.zeros(20, 2)); goal = torch.tensor([1.0, -2.0]); opt = torch.optim.Adam([u], 0.02)
for i in range(300): l = 10 * (0.1 * u.sum(0) - goal).pow(2).sum() + 0.01 * u.pow(2).sum(); opt.zero_grad(); l.backward(); opt.step()
print("reaches", (0.1 * u.detach().sum(0)).tolist(), "goal", goal.tolist(), "cost", float(l))
