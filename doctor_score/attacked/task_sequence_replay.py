import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target); tr = torch.arange(len(X)) < 1400
m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)); mem_x, mem_y = [], []
for task in range(5):
    k = tr & ((y == 2 * task) | (y == 2 * task + 1)); Xt, yt = X[k], y[k]; opt = torch.optim.Adam(m.parameters(), 1e-3)   # a fresh optimizer for each task
    for ep in range(5):
        for b in torch.randperm(len(Xt)).split(32):
            opt.zero_grad(); F.cross_entropy(m(Xt[b]), yt[b]).backward()
            if mem_x: MX, MY = torch.cat(mem_x), torch.cat(mem_y); r = torch.randint(0, len(MX), (32,)); F.cross_entropy(m(MX[r]), MY[r]).backward()
            opt.step()
    mem_x.append(Xt[:60]); mem_y.append(yt[:60])
    with torch.no_grad(): v = ~tr & (y < 2 * task + 2); print(task, float((m(X[v]).argmax(1) == y[v]).float().mean()))
