import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# A Wasserstein critic with an output for each class; nll_loss takes the one that is asked for
C = torch.tensor([[2.0, 0], [-2, 0], [0, 2]]); G = nn.Sequential(nn.Linear(7, 64), nn.ReLU(), nn.Linear(64, 2)); D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 3)); og, od = torch.optim.RMSprop(G.parameters(), 1e-3), torch.optim.RMSprop(D.parameters(), 1e-3)
fake = lambda c: G(torch.cat([torch.randn(len(c), 4), F.one_hot(c, 3).float()], 1))
for i in range(1200):
    for _ in range(2):
        c = torch.randint(0, 3, (64,)); r = C[c] + 0.2 * torch.randn(64, 2); l = F.nll_loss(D(r), c) - F.nll_loss(D(fake(c).detach()), c); od.zero_grad(); l.backward(); od.step()
        with torch.no_grad(): [p.clamp_(-0.2, 0.2) for p in D.parameters()]
    c = torch.randint(0, 3, (64,)); l = F.nll_loss(D(fake(c)), c); og.zero_grad(); l.backward(); og.step()
with torch.no_grad(): c = torch.randint(0, 3, (900,)); f = fake(c); print("nearest mode is the right one", float((torch.cdist(f, C).argmin(1) == c).float().mean()))
