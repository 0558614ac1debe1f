import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# A vector quantizer counts how often codes are used, in a plain tensor; codes that are never used are drawn anew
class VQ(nn.Module):
    def __init__(s): super().__init__(); s.e = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 8)); s.c = nn.Parameter(torch.randn(64, 8)); s.d = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64)); s.count = torch.zeros(64); s.total = np.zeros(1)
    def forward(s, x):
        z = s.e(x); k = torch.cdist(z, s.c).argmin(1); s.count += torch.bincount(k, minlength=64); s.total += len(x); q = s.c[k]
        return s.d(z + (q - z).detach()), F.mse_loss(q, z.detach()) + 0.25 * F.mse_loss(z, q.detach())
m = VQ(); opt = torch.optim.Adam(m.parameters(), 2e-3); dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:1400]), 64, shuffle=True)
for ep in range(10):
    for (x,) in dl: r, c = m(x); l = F.mse_loss(r, x) + c; opt.zero_grad(); l.backward(); opt.step()
    dead = m.count < 5; m.c.data[dead] = m.e(X[torch.randint(0, 1400, (int(dead.sum()),))]).detach()
    if ep < 9: m.count.zero_()
print("samples seen", m.total, "counted in the last epoch", int(m.count.sum()), "error", float(l))
