import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target); m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)); o = torch.optim.Adam(m.parameters(), 2e-3)
norm = lambda: sum((p.grad ** 2).sum() for p in m.parameters()).sqrt().item()
for i in range(200):
    k = torch.randint(0, 1400, (64,)); out = m(X[k]); ce = F.cross_entropy(out, y[k]); ent = -0.1 * torch.distributions.Categorical(logits=out).entropy().mean(); log = []
    if i % 20 == 3:                                   # how large is the gradient of each part?
        for part in (ce, ent): o.zero_grad(); part.backward(retain_graph=True); log.append(norm())
    o.zero_grad(); (ce + ent).backward(); o.step()
    if log and i % 40 == 3: print(i, log)
with torch.no_grad(): print(float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
