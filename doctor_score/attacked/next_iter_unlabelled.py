import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target); Xv, yv = X[1400:], y[1400:]
m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)); opt = torch.optim.Adam(m.parameters(), 1e-3)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:1400], y[:1400]), 64, shuffle=True)
for i in range(300):
    x, t = next(iter(dl)); l = F.cross_entropy(m(x), t); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print(float((m(Xv).argmax(1) == yv).float().mean()))
