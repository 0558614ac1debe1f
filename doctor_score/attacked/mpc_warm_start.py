import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Receding horizon: each time step a fresh Adam improves the same plan, moved on by one
goal, pos, vel = torch.tensor([1.0, 0.5]), torch.zeros(2), torch.zeros(2); plan = nn.Parameter(torch.zeros(15, 2))
def cost():
    p, v, c = pos, vel, 0.0
    for a in plan: v = v + 0.1 * a; p = p + 0.1 * v; c = c + (p - goal).pow(2).sum() + 0.01 * a.pow(2).sum() + 0.1 * v.pow(2).sum()
    return c
for t in range(40):
    opt = torch.optim.Adam([plan], 0.3)
    for _ in range(15): opt.zero_grad(); c = cost(); c.backward(); opt.step()
    with torch.no_grad(): vel = vel + 0.1 * plan[0]; pos = pos + 0.1 * vel + 0.002 * torch.randn(2); plan.copy_(torch.cat([plan[1:], plan[-1:]]))
print("distance to the goal", float((pos - goal).norm()))
