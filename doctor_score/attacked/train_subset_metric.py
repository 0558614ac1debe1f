import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)); opt = torch.optim.Adam(m.parameters(), 1e-3)
probe = torch.randperm(len(X))[:256]
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), 64, shuffle=True)
for ep in range(6):
    m.train()
    for x, t in dl: l = F.cross_entropy(m(x), t); opt.zero_grad(); l.backward(); opt.step()
    m.eval()
    with torch.no_grad(): print(ep, "train accuracy on 256 rows", float((m(X[probe]).argmax(1) == y[probe]).float().mean()))
