import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
torch.manual_seed(0)
d = load_breast_cancer(); X = torch.tensor(d.data, dtype=torch.float32); X = (X - X[:400].mean(0)) / X[:400].std(0); y = torch.tensor(d.target)
X[torch.rand_like(X) < 0.2] = float("nan")         # missing measurements
class Net(nn.Module):
    def __init__(s): super().__init__(); s.fill = nn.Parameter(torch.zeros(30)); s.net = nn.Sequential(nn.Linear(60, 32), nn.ReLU(), nn.Linear(32, 2))
    def forward(s, x):
        gone = x.isnan(); return s.net(torch.cat([torch.where(gone, s.fill, x), gone.float()], 1))
m = Net(); opt = torch.optim.Adam(m.parameters(), 2e-3)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:400], y[:400]), 32, shuffle=True)
for ep in range(15):
    for x, t in dl: l = F.cross_entropy(m(x), t); opt.zero_grad(); l.backward(); opt.step()
    with torch.no_grad(): acc = float((m(X[400:]).argmax(1) == y[400:]).float().mean())
print(acc)
