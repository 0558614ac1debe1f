import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target); t = y[:1400].clone(); flip = torch.rand(1400) < 0.8; t[flip] = torch.randint(0, 10, (int(flip.sum()),))
m = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)); opt = torch.optim.Adam(m.parameters(), 1e-3, weight_decay=1e-3)
tl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:1400], t), 128, shuffle=True); vl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[1400:], y[1400:]), 128)
for ep in range(12):       # generalized cross-entropy against 80 % label noise; validation is clean
    m.train()
    for x, l in tl: p = m(x).softmax(1).gather(1, l[:, None]); loss = ((1 - p ** 0.5) / 0.5).mean(); opt.zero_grad(); loss.backward(); opt.step()
    m.eval()
    with torch.no_grad(): print(ep, sum(int((m(x).argmax(1) == l).sum()) for x, l in vl) / len(X[1400:]))
