import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# A convolutional code is learned: causal encoder, noisy channel, causal decoder; what is to come out is the message itself
V = 8; Tm = torch.softmax(torch.randn(V, V) * 2, 1)
def data(n, L=20):
    s = [torch.randint(0, V, (n,))]
    for _ in range(L - 1): s.append(torch.multinomial(Tm[s[-1]], 1)[:, 0])
    return torch.stack(s, 1)
class Code(nn.Module):
    def __init__(s): super().__init__(); s.e = nn.Embedding(V, 16); s.enc = nn.GRU(16, 32, batch_first=True); s.tx = nn.Linear(32, 4); s.dec = nn.GRU(4, 48, batch_first=True); s.o = nn.Linear(48, V)
    def forward(s, t): z = F.normalize(s.tx(s.enc(s.e(t))[0]), dim=-1) * 2; return s.o(s.dec(z + 0.7 * torch.randn_like(z))[0])
m = Code(); opt = torch.optim.Adam(m.parameters(), 5e-3)
for i in range(300): t = data(64); l = F.cross_entropy(m(t).flatten(0, 1), t.flatten()); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): t = data(500); print("symbol error rate", float((m(t).argmax(2) != t).float().mean()))
