import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0); random.seed(0); np.random.seed(0)
digits = load_digits(); X = torch.tensor(digits.data, dtype=torch.float32) / 16; y = torch.tensor(digits.target)
# A nested log of shapes and a running mean in a dictionary of dictionaries
STATS = {"a": {"n": 0, "sum": 0.0}}
class Net(nn.Module):
    def __init__(s): super().__init__(); s.a, s.b = nn.Linear(64, 64), nn.Linear(64, 10)
    def forward(s, x): h = F.relu(s.a(x)); d = STATS["a"]; d["n"] += 1; d["sum"] += float(h.detach().mean()); return s.b(h)
m = Net(); opt = torch.optim.Adam(m.parameters(), 2e-3); dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:1400], y[:1400]), 64, shuffle=True)
for ep in range(4):
    for a, b in dl: l = F.cross_entropy(m(a), b); opt.zero_grad(); l.backward(); opt.step()
print("calls", STATS, "loss", float(l))
