import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# BPR: an epoch gives each user one good and one bad item; leave-one-out hit rate of 300 users
U, I = 3000, 300; gu, gi = torch.arange(U) % 6, torch.arange(I) % 6
class MF(nn.Module):
    def __init__(s): super().__init__(); s.u, s.i = nn.Embedding(U, 16), nn.Embedding(I, 16); nn.init.normal_(s.u.weight, std=0.1); nn.init.normal_(s.i.weight, std=0.1)
    def forward(s, u, items): return (s.i(items) @ s.u(u)[:, :, None]).squeeze(2)
good = torch.stack([torch.randperm(I // 6)[:20] * 6 + g for g in gu.tolist()]); train, test = good[:, :19], good[:, 19]; m = MF(); opt = torch.optim.Adam(m.parameters(), 1e-2)
for ep in range(20):
    for u in torch.randperm(U).split(256):
        s = m(u, torch.stack([train[u, torch.randint(0, 19, (len(u),))], torch.randint(0, I, (len(u),))], 1)); l = -F.logsigmoid(s[:, 0] - s[:, 1]).mean(); opt.zero_grad(); l.backward(); opt.step()
    if ep % 4 == 3:
        with torch.no_grad(): s = m(torch.arange(300), torch.cat([test[:300, None], torch.randint(0, I, (300, 50))], 1)); print(ep, "hit rate at 10 of 51", float((s.argsort(1, descending=True)[:, :10] == 0).any(1).float().mean()))
