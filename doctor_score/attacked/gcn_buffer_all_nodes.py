import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
n = 300; y = torch.randint(0, 3, (n,)); A = ((torch.rand(n, n) < torch.where(y[:, None] == y, 0.06, 0.01)).float()).triu(1); A = A + A.t() + torch.eye(n); D = A.sum(1).rsqrt(); A = D[:, None] * A * D
X = torch.randn(n, 16) + F.one_hot(y, 16) * 0.8; train = (torch.arange(n) < 120).float(); test = train == 0
class GCN(nn.Module):
    def __init__(s, adj): super().__init__(); s.register_buffer("adj", adj); s.a = nn.Linear(16, 32); s.b = nn.Linear(32, 3)
    def forward(s, x): return s.adj @ s.b(F.relu(s.adj @ s.a(x)))
m = GCN(A); opt = torch.optim.Adam(m.parameters(), 1e-2)
for i in range(60):
    x = F.dropout(X, 0.1); l = (F.cross_entropy(m(x), y, reduction="none") * train).sum() / train.sum(); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print(float((m(X)[test].argmax(1) == y[test]).float().mean()))
