import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# nanoGPT: every now and then the mean loss of random windows of both splits
V, L = 12, 32; Tm = torch.softmax(torch.randn(V, V) * 3, 1); s = [0]
for _ in range(8000): s.append(int(torch.multinomial(Tm[s[-1]], 1)))
text = torch.tensor(s); split = {"train": text[:6000], "val": text[6000:]}
class LM(nn.Module):
    def __init__(n): super().__init__(); n.e = nn.Embedding(V, 16); n.r = nn.GRU(16, 32, batch_first=True); n.o = nn.Linear(32, V)
    def forward(n, t): return n.o(n.r(n.e(t))[0])
m = LM(); opt = torch.optim.AdamW(m.parameters(), 5e-3)
def batch(name): d = split[name]; k = torch.randint(len(d) - L, (32,)); w = torch.stack([d[j:j + L + 1] for j in k]); return w[:, :-1], w[:, 1:]
loss = lambda x, t: F.cross_entropy(m(x).flatten(0, 1), t.flatten())
for i in range(200):
    if i % 25 == 0:
        with torch.no_grad(): print(i, {n: sum(float(loss(*batch(n))) for _ in range(8)) / 8 for n in split})
    l = loss(*batch("train")); opt.zero_grad(); l.backward(); opt.step()
