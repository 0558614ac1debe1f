import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# A graph network whose first argument is the sparse adjacency matrix
n = 400; y = torch.randint(0, 3, (n,)); A = (torch.rand(n, n) < torch.where(y[:, None] == y, 0.05, 0.005)).float().triu(1); A = A + A.t() + torch.eye(n); D = A.sum(1).rsqrt(); S = (D[:, None] * A * D).to_sparse(); x = torch.randn(n, 16) + F.one_hot(y, 16) * 0.7; tr = torch.randperm(n)[:100]; te = torch.ones(n, dtype=torch.bool); te[tr] = False
class GCN(nn.Module):
    def __init__(s): super().__init__(); s.a, s.b = nn.Linear(16, 32), nn.Linear(32, 3)
    def forward(s, A, x): return torch.sparse.mm(A, s.b(F.relu(torch.sparse.mm(A, s.a(x)))))
m = GCN(); opt = torch.optim.Adam(m.parameters(), 1e-2)
for i in range(100):
    l = F.cross_entropy(m(S, x)[tr], y[tr]); opt.zero_grad(); l.backward(); opt.step()
    if i % 25 == 24:
        with torch.no_grad(): print(i, "accuracy", float((m(S, x).argmax(1) == y)[te].float().mean()))
