import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
for lr in (3e-4, 1e-3, 3e-3, 1e-2):        # same data order for a fair comparison, one epoch each
    torch.manual_seed(0)
    m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)); opt = torch.optim.Adam(m.parameters(), lr)
    for k in torch.randperm(1400).split(16): l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
    with torch.no_grad(): print(lr, float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
