import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.bfloat16) / 16; y = torch.tensor(d.target)
m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)).bfloat16(); master = [p.detach().float().clone().requires_grad_() for p in m.parameters()]; o = torch.optim.Adam(master, 1e-3)
for i in range(300):         # bfloat16 model, float32 master copies in the optimizer
    k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]).float(), y[k]); m.zero_grad(); l.backward()
    for w, p in zip(master, m.parameters()): w.grad = p.grad.float()
    o.step()
    with torch.no_grad():
        for w, p in zip(master, m.parameters()): p.copy_(w)
with torch.no_grad(): print(float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
