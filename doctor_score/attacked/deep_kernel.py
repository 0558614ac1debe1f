import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Deep kernel learning on random subsets: the module returns the kernel matrix of its rows
x = torch.rand(1500, 4) * 2 - 1; t = torch.sin(3 * x[:, 0]) * x[:, 1] + 0.1 * torch.randn(1500)
class DK(nn.Module):
    def __init__(s): super().__init__(); s.f = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 2)); s.n = nn.Parameter(torch.tensor(-2.0)); s.a = nn.Parameter(torch.tensor(0.0))
    def forward(s, x): z = s.f(x); return s.a.exp() * torch.exp(-torch.cdist(z, z).pow(2) / 2) + (s.n.exp() + 1e-4) * torch.eye(len(x))
m = DK(); opt = torch.optim.Adam(m.parameters(), 1e-2)
def nll(x, t): Lc = torch.linalg.cholesky(m(x)); a = torch.linalg.solve_triangular(Lc, t[:, None], upper=False); return (0.5 * a.pow(2).sum() + Lc.diagonal().log().sum()) / len(x)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x[:1200], t[:1200]), 128, shuffle=True, drop_last=True)
for ep in range(20):
    for a, b in dl: l = nll(a, b); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad():
    k = torch.arange(600); K = m(torch.cat([x[k], x[1200:]])); p = K[600:, :600] @ torch.linalg.solve(K[:600, :600], t[k]); print("test mse", float(F.mse_loss(p, t[1200:])), "variance", float(t.var()))
