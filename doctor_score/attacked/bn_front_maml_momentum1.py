import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_wine
torch.manual_seed(0)
d = load_wine(); X = torch.tensor(d.data, dtype=torch.float32); y = torch.tensor(d.target); p = torch.randperm(178); tr, va = p[:130], p[130:]
m = nn.Sequential(nn.BatchNorm1d(13, momentum=1.0), nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3)); opt = torch.optim.Adam(m.parameters(), 1e-2)
for i in range(80):      # full batch: the statistics of the last batch are those of the data
    m.train(); l = F.cross_entropy(m(X[tr]), y[tr]); opt.zero_grad(); l.backward(); opt.step()
m.eval()
with torch.no_grad(): print(float((m(X[va]).argmax(1) == y[va]).float().mean()))
