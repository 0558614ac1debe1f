import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target); Z = 1 - X
m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)); opt = torch.optim.Adam(m.parameters(), 1e-3)
for i in range(200):       # both hospitals shall count alike, though one has four times the patients
    opt.zero_grad(); a, b = torch.randint(0, 1400, (64,)), torch.randint(0, 200, (16,))
    (F.cross_entropy(m(X[a]), y[a]) / 2).backward(); (F.cross_entropy(m(Z[b]), y[b]) / 2).backward(); opt.step()
with torch.no_grad(): print(float((m(Z[1400:]).argmax(1) == y[1400:]).float().mean()))
