import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Nodes with few labels: three of each class, all others have the ignore index
n = 1000; y = torch.randint(0, 3, (n,)); A = (torch.rand(n, n) < torch.where(y[:, None] == y, 0.03, 0.003)).float().triu(1); A = A + A.t() + torch.eye(n); D = A.sum(1).rsqrt(); A = D[:, None] * A * D; x = torch.randn(n, 16) + F.one_hot(y, 16) * 0.7
t = torch.full((n,), -100); [t.__setitem__((y == c).nonzero()[:3, 0], c) for c in range(3)]
class GCN(nn.Module):
    def __init__(s): super().__init__(); s.a, s.b = nn.Linear(16, 32), nn.Linear(32, 3)
    def forward(s, x): return A @ s.b(F.dropout(F.relu(A @ s.a(x)), 0.5, s.training))
m = GCN(); opt = torch.optim.Adam(m.parameters(), 1e-2, weight_decay=5e-4)
for i in range(200): m.train(); l = F.cross_entropy(m(x), t); opt.zero_grad(); l.backward(); opt.step()
m.eval()
with torch.no_grad(): print("accuracy on the other nodes", float((m(x).argmax(1) == y)[t == -100].float().mean()))
