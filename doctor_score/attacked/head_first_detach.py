import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
class Net(nn.Module):
    def __init__(s): super().__init__(); s.enc = nn.Sequential(nn.Linear(64, 128), nn.ReLU()); s.head = nn.Linear(128, 10); s.warm = True
    def forward(s, x): h = s.enc(x); return s.head(h.detach() if s.warm else h)
m = Net(); opt = torch.optim.Adam(m.parameters(), 1e-3)
for i in range(300):       # the head first, for 40 steps, then all
    m.warm = i < 40; k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print(float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
