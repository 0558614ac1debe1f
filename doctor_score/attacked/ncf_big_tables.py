import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Neural collaborative filtering: two large tables, drawn as nn.Embedding draws them, then a small MLP
from sklearn.metrics import roc_auc_score
U, I = 50000, 10000; pu, pi = torch.randn(U), torch.randn(I)
class NCF(nn.Module):
    def __init__(s): super().__init__(); s.u, s.i = nn.Embedding(U, 32), nn.Embedding(I, 32); s.mlp = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
    def forward(s, u, i): return s.mlp(torch.cat([s.u(u), s.i(i)], 1)).squeeze(1)
m = NCF(); opt = torch.optim.Adam(m.parameters(), 1e-2)
def draw(n=2048): u, i = torch.randint(0, U, (n,)), torch.randint(0, I, (n,)); return u, i, torch.bernoulli(torch.sigmoid(2 * (pu[u] + pi[i])))
for k in range(300): u, i, t = draw(); l = F.binary_cross_entropy_with_logits(m(u, i), t); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): u, i, t = draw(20000); print("AUC of new pairs", roc_auc_score(t, m(u, i)), "best possible", roc_auc_score(t, pu[u] + pi[i]))
