import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Double Q-learning with tables, rewards of 100: 12 states in a line
qa, qb = nn.Embedding(12, 2), nn.Embedding(12, 2)
for q in (qa, qb): nn.init.normal_(q.weight, std=0.01)
opts = [torch.optim.SGD(q.parameters(), 0.25) for q in (qa, qb)]; both = torch.optim.SGD([*qa.parameters(), *qb.parameters()], 0.25); g = 0.95
for i in range(2500):
    s = torch.randint(0, 11, (16,)); a = torch.randint(0, 2, (16,)); n = (s + 2 * a - 1).clamp(min=0); r = 100.0 * (n == 11); done = n == 11
    with torch.no_grad(): best = qa(n).argmax(1); ya = r + g * ~done * qb(n).gather(1, best[:, None])[:, 0]; bb = qb(n).argmax(1); yb = r + g * ~done * qa(n).gather(1, bb[:, None])[:, 0]
    l = 0.5 * ((qa(s).gather(1, a[:, None])[:, 0] - ya) ** 2).sum() + 0.5 * ((qb(s).gather(1, a[:, None])[:, 0] - yb) ** 2).sum(); both.zero_grad(); l.backward(); both.step()
print("V(0)", float(qa.weight[0].max()), "true", 100 * g ** 10, "greedy is right:", bool((qa.weight[:11].argmax(1) == 1).all()))
