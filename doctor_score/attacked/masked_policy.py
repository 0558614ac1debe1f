import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# A policy is given the logarithm of the mask of allowed actions first: -inf in, -inf out
W = torch.randn(6, 5)
class Pi(nn.Module):
    def __init__(s): super().__init__(); s.net = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 5))
    def forward(s, log_mask, obs): return s.net(obs) + log_mask
m = Pi(); opt = torch.optim.Adam(m.parameters(), 3e-3)
for i in range(300):
    o = torch.randn(64, 6); ok = torch.rand(64, 5) < 0.7; ok[:, 0] = True; p = torch.distributions.Categorical(logits=m(ok.float().log(), o)); a = p.sample(); r = (o @ W).gather(1, a[:, None])[:, 0]
    l = -(p.log_prob(a) * (r - r.mean())).mean(); opt.zero_grad(); l.backward(); opt.step()
print("reward", float(r.mean()), "best", float((o @ W).masked_fill(~ok, -99).max(1).values.mean()))
