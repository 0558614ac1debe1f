import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# As in the DQN paper: the mean of the highest Q over a fixed set of states, which were collected by a random policy, as the memory was
n = 6000; s = torch.rand(n, 2) * 2 - 1; a = torch.randint(0, 2, (n,)); s2 = s.clone(); s2[:, 1] = (s[:, 1] + 0.2 * (2 * a - 1)).clamp(-1, 1); s2[:, 0] = (s[:, 0] + 0.2 * s2[:, 1]).clamp(-1, 1); r = -s2.pow(2).sum(1); held = s[:256]
mk = lambda: nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)); q, tq = mk(), mk(); opt = torch.optim.Adam(q.parameters(), 2e-3)
for i in range(800):
    if i % 50 == 0: tq.load_state_dict(q.state_dict())
    k = torch.randint(0, n, (64,))
    with torch.no_grad(): t = r[k] + 0.9 * tq(s2[k]).max(1).values
    l = F.smooth_l1_loss(q(s[k]).gather(1, a[k, None])[:, 0], t); opt.zero_grad(); l.backward(); opt.step()
    if i % 40 == 39:
        with torch.no_grad(): v = float(q(held).max(1).values.mean())
with torch.no_grad(): g = q(s).argmax(1); print("mean Q", v, "pushes to the middle", float((g == (s.sum(1) < 0).long()).float().mean()))
