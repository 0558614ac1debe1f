import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# NCSNv2: data with noise of 50 down to 0.05 goes into the net as it is, what comes out is divided by sigma
C = torch.randn(2, 2) * 20; sig = torch.logspace(math.log10(50), math.log10(0.5), 12); net = nn.Sequential(nn.Linear(2, 128), nn.ELU(), nn.Linear(128, 128), nn.ELU(), nn.Linear(128, 2)); nn.init.normal_(net[0].weight, std=0.05); opt = torch.optim.Adam(net.parameters(), 3e-3)
score = lambda x, s: net(x) / s
for i in range(1200):
    x = C[torch.randint(0, 2, (256,))] + torch.randn(256, 2); s = sig[torch.randint(0, 12, (256, 1))]; e = torch.randn_like(x); l = (s * score(x + s * e, s) + e).pow(2).sum(1).mean(); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad():
    x = 50 * torch.randn(500, 2)
    for s in sig:
        for _ in range(40): a = 0.1 * s ** 2; x = x + a * score(x, s) + (2 * a) ** 0.5 * torch.randn_like(x)
print("loss", float(l), "(guessing 2); samples within 6 of a mode", float((torch.cdist(x, C).min(1).values < 6).float().mean()))
