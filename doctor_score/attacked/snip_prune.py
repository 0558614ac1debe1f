import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
m = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10)); opt = torch.optim.SGD(m.parameters(), 0.2, momentum=0.9)
ws = [m[0].weight, m[2].weight]; score = [torch.zeros_like(w) for w in ws]
for k in torch.randperm(1400).split(64):          # SNIP: sensitivities over one pass, before training
    opt.zero_grad(); F.cross_entropy(m(X[k]), y[k]).backward()
    for s, w in zip(score, ws): s += (w * w.grad).abs().detach()
opt.zero_grad(); cut = torch.cat([s.flatten() for s in score]).quantile(0.8); masks = [(s > cut).float() for s in score]
with torch.no_grad():
    for w, k in zip(ws, masks): w *= k
for i in range(250):
    k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward()
    for w, q in zip(ws, masks): w.grad *= q
    opt.step()
with torch.no_grad(): print(float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()), float(masks[0].mean()))
