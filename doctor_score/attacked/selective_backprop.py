import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target); Xv, yv = X[1400:], y[1400:]
m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)); opt = torch.optim.Adam(m.parameters(), 1e-3)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:1400], y[:1400]), 128, shuffle=True)
for ep in range(12):
    for x, t in dl:
        with torch.no_grad(): hard = F.cross_entropy(m(x), t, reduction="none").topk(len(x) // 3).indices
        l = F.cross_entropy(m(x[hard]), t[hard]); opt.zero_grad(); l.backward(); opt.step()
    m.eval()
    with torch.no_grad(): acc = float((m(Xv).argmax(1) == yv).float().mean())
    m.train(); print(ep, acc)
