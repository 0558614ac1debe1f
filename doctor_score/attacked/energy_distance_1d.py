import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# A generator of one number by the energy distance: all pairs of made and real samples on purpose
G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 1)); opt = torch.optim.Adam(G.parameters(), 3e-3)
for i in range(400):
    x = torch.where(torch.rand(128) < 0.3, -2 + 0.3 * torch.randn(128), 1 + 0.5 * torch.randn(128)); f = G(torch.randn(128, 4)); l = 2 * (f - x).abs().mean() - (f - f.t()).abs().mean(); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): f = G(torch.randn(4000, 4))[:, 0]; print("below -1:", float((f < -1).float().mean()), "true 0.3; mean", float(f.mean()), "true 0.1")
