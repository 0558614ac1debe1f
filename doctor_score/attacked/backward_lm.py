import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# A language model that runs backward (for reranking): from the tokens behind, the one before
V = 12; Tm = torch.softmax(torch.randn(V, V) * 3, 1)
def text(n, L=16):
    s = [torch.randint(0, V, (n,))]
    for _ in range(L - 1): s.append(torch.multinomial(Tm[s[-1]], 1)[:, 0])
    return torch.stack(s, 1)
class BLM(nn.Module):
    def __init__(s): super().__init__(); s.e = nn.Embedding(V, 16); s.r = nn.GRU(16, 64, batch_first=True); s.o = nn.Linear(64, V)
    def forward(s, t): return s.o(s.r(s.e(t.flip(1)))[0]).flip(1)
m = BLM(); opt = torch.optim.Adam(m.parameters(), 5e-3)
for i in range(250):
    t = text(64); l = F.cross_entropy(m(t[:, 1:]).flatten(0, 1), t[:, :-1].flatten()); opt.zero_grad(); l.backward(); opt.step()
print("loss", float(l), "chance", math.log(V))
