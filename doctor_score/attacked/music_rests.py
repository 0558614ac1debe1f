import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# Cadences of 12 beats: notes, the tonic (1), then rests (0) up to the end of the bar: rests are music, too, and are predicted
def song(): n = random.randint(4, 9); s = [random.randint(2, 7)]; [s.append(2 + (s[-1] - 2 + random.choice([1, 1, 2])) % 6) for _ in range(n - 1)]; return s + [1] + [0] * (11 - n)
D = torch.tensor([song() for _ in range(2000)])
class LM(nn.Module):
    def __init__(s): super().__init__(); s.e = nn.Embedding(8, 16); s.r = nn.GRU(16, 32, batch_first=True); s.o = nn.Linear(32, 8)
    def forward(s, t): return s.o(s.r(s.e(t))[0])
m = LM(); opt = torch.optim.Adam(m.parameters(), 5e-3)
for i in range(250):
    t = D[torch.randint(0, 1600, (64,))]; l = F.cross_entropy(m(t[:, :-1]).flatten(0, 1), t[:, 1:].flatten()); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): t = D[1600:]; print("test loss", float(F.cross_entropy(m(t[:, :-1]).flatten(0, 1), t[:, 1:].flatten())))
