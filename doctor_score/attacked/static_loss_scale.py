import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)); opt = torch.optim.Adam(m.parameters(), 2e-3); S = 1024.
for i in range(250):
    k = torch.randint(0, 1400, (64,)); opt.zero_grad()
    with torch.autocast("cpu", dtype=torch.float16): l = F.cross_entropy(m(X[k]), y[k])
    (l * S).backward()
    for p in m.parameters(): p.grad /= S
    opt.step()
with torch.no_grad(): print(float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
