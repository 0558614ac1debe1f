import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.images * 15.9, dtype=torch.float32)[:, None]; y = torch.tensor(d.target)   # 0..255, as cameras give it
class Net(nn.Module):
    def __init__(s):
        super().__init__(); s.register_buffer("mean", torch.tensor(77.)); s.register_buffer("std", torch.tensor(95.))
        s.net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(512, 10))
    def forward(s, x): return s.net((x - s.mean) / s.std)
m = Net(); opt = torch.optim.Adam(m.parameters(), 1e-3)
for i in range(250):
    k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print(float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
