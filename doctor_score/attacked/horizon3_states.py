import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Customers' states month by month: what is asked is the state three months ahead
V = 8; Tm = torch.softmax(torch.randn(V, V) * 3, 1)
def data(n, L=24):
    s = [torch.randint(0, V, (n,))]
    for _ in range(L - 1): s.append(torch.multinomial(Tm[s[-1]], 1)[:, 0])
    return torch.stack(s, 1)
class Net(nn.Module):
    def __init__(s): super().__init__(); s.e = nn.Embedding(V, 16); s.r = nn.GRU(16, 32, batch_first=True); s.o = nn.Linear(32, V)
    def forward(s, t): return s.o(s.r(s.e(t))[0])
m = Net(); opt = torch.optim.Adam(m.parameters(), 5e-3)
for i in range(250):
    t = data(64); l = F.cross_entropy(m(t[:, :-3]).flatten(0, 1), t[:, 3:].flatten()); opt.zero_grad(); l.backward(); opt.step()
T3 = Tm @ Tm @ Tm; print("loss", float(l), "best possible", float(-(T3[t[:, :-3].flatten(), t[:, 3:].flatten()]).log().mean()), "chance", math.log(V))
