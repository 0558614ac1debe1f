import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# One optimizer; in turns a codec learns to reconstruct, and a predictor learns from its (detached) codes
ae = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 16)); de = nn.Sequential(nn.Linear(16, 64)); cl = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam([*ae.parameters(), *de.parameters(), *cl.parameters()], 2e-3)
for i in range(600):
    k = torch.randint(0, 1400, (64,)); z = ae(X[k]); l = F.mse_loss(de(z), X[k]) if i % 2 == 0 else F.cross_entropy(cl(z.detach()), y[k])
    opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("accuracy", float((cl(ae(X[1400:])).argmax(1) == y[1400:]).float().mean()))
