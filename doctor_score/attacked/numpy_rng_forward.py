import numpy as np, torch, torch.nn as nn, torch.nn.functional as F, random
from sklearn.datasets import load_digits
torch.manual_seed(0); rng = np.random.default_rng(0); rd = random.Random(1)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
class Net(nn.Module):          # layer drop by a generator of the script
    def __init__(s): super().__init__(); s.a = nn.Linear(64, 64); s.l = nn.ModuleList(nn.Linear(64, 64) for _ in range(3)); s.b = nn.Linear(64, 10)
    def forward(s, x):
        x = F.relu(s.a(x))
        for l in s.l:
            if rng.random() > 0.3 and rd.random() > 0.1: x = x + F.relu(l(x))
        return s.b(x)
m = Net(); opt = torch.optim.Adam(m.parameters(), 2e-3); dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:1400], y[:1400]), 64, shuffle=True)
for ep in range(4):
    for x, t in dl: l = F.cross_entropy(m(x), t); opt.zero_grad(); l.backward(); opt.step()
    print(ep, float(l))
