import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
n = 300; y = torch.randint(0, 3, (n,)); A = ((torch.rand(n, n) < torch.where(y[:, None] == y, 0.06, 0.01)).float()).triu(1); A = A + A.t() + torch.eye(n); D = A.sum(1).rsqrt(); A = D[:, None] * A * D
X = torch.randn(n, 16) + F.one_hot(y, 16) * 0.8; train = torch.arange(n) < 120; test = ~train
class GCN(nn.Module):
    def __init__(s): super().__init__(); s.a = nn.Linear(16, 32); s.b = nn.Linear(32, 3)
    def forward(s, x, adj): return adj @ s.b(F.relu(adj @ s.a(x)))
m = GCN(); opt = torch.optim.Adam(m.parameters(), 1e-2)
for i in range(60):
    m.train(); l = F.cross_entropy(m(X, A)[train], y[train]); opt.zero_grad(); l.backward(); opt.step()
    m.eval()
    with torch.no_grad():
        o = m(X, A); per = [float(F.cross_entropy(o[train & (y == k)], y[train & (y == k)])) for k in range(3)]; lt = float(F.cross_entropy(o[test], y[test]))
    if i % 20 == 19: print(i, per, lt, float((o[test].argmax(1) == y[test]).float().mean()))
