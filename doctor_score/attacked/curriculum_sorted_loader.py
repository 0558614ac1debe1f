import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
from itertools import islice
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target); Xv, yv = X[1400:], y[1400:]; X, y = X[:1400], y[:1400]
c = torch.stack([X[y == k].mean(0) for k in range(10)]); o = (X - c[y]).norm(dim=1).argsort(); X, y = X[o], y[o]   # from easy to hard
m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)); opt = torch.optim.Adam(m.parameters(), 1e-3)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), 32)
for ep, share in enumerate((0.25, 0.35, 0.5, 1.0)):
    for x, t in islice(dl, int(share * len(dl))): l = F.cross_entropy(m(x), t); opt.zero_grad(); l.backward(); opt.step()
    with torch.no_grad(): print(ep, float((m(Xv).argmax(1) == yv).float().mean()))
