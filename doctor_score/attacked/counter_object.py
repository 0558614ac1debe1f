import torch, torch.nn as nn, torch.nn.functional as F, collections, itertools
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
class State:
    def __init__(s): s.n = 0
class Net(nn.Module):           # a queue of negatives, a counter, a temperature that cools with each call
    def __init__(s): super().__init__(); s.e = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)); s.state = State(); s.q = collections.deque(maxlen=5); s.it = itertools.count()
    def forward(s, x): o = s.e(x); s.state.n += 1; s.q.append(o.detach().mean(0)); k = next(s.it); return o / (1 + 1 / (1 + k)) - 0.1 * torch.stack(list(s.q)).mean(0)
m = Net(); opt = torch.optim.Adam(m.parameters(), 2e-3); dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:1400], y[:1400]), 64, shuffle=True)
for ep in range(3):
    for x, t in dl: l = F.cross_entropy(m(x), t); opt.zero_grad(); l.backward(); opt.step()
    print(ep, float(l), m.state.n)
