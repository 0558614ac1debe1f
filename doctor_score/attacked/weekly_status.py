import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Pupils week by week: an event, 0 after they have left; each week's status is asked, "has left" as well
D = []
for _ in range(2500): n = random.randint(4, 16); e = [random.randint(1, 6) for _ in range(n)]; D.append((e + [0] * (16 - n), [int(sum(v > 3 for v in e[max(0, j - 2):j + 1]) >= 2) for j in range(n)] + [2] * (16 - n)))
x, t = torch.tensor([d[0] for d in D]), torch.tensor([d[1] for d in D])
class Net(nn.Module):
    def __init__(s): super().__init__(); s.e = nn.Embedding(7, 16, padding_idx=0); s.r = nn.GRU(16, 32, batch_first=True); s.o = nn.Linear(32, 3)
    def forward(s, x): return s.o(s.r(s.e(x))[0])
m = Net(); opt = torch.optim.Adam(m.parameters(), 5e-3)
for i in range(250): k = torch.randint(0, 2000, (64,)); l = F.cross_entropy(m(x[k]).flatten(0, 1), t[k].flatten()); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): p = m(x[2000:]).argmax(2); print("accuracy", float((p == t[2000:]).float().mean()), "while there", float((p == t[2000:])[x[2000:] > 0].float().mean()))
