import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# REINFORCE on a bandit without context: the policy net is given a constant
means = torch.tensor([0.1, 0.5, 0.9, 0.3]); net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 4)); opt = torch.optim.Adam(net.parameters(), 1e-2)
state = torch.ones(32, 1); base = 0.0
for i in range(200):
    logits = net(state); a = torch.distributions.Categorical(logits=logits.detach()).sample(); r = torch.bernoulli(means[a]); base = 0.9 * base + 0.1 * float(r.mean())
    l = (F.cross_entropy(logits, a, reduction="none") * (r - base)).mean(); opt.zero_grad(); l.backward(); opt.step()
print("probability of the best arm", float(net(state[:1]).softmax(1)[0, 2]))
