import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)); opt = torch.optim.Adafactor(m.parameters(), lr=0.02)
for i in range(300):
    k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print(float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
