import torch, torch.nn as nn, torch.nn.functional as F, tempfile
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
def make(): return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
def pretrain(path):
    m = make(); opt = torch.optim.Adam(m.parameters(), 1e-3)
    for i in range(150): k = torch.randint(0, 700, (64,)); l = F.cross_entropy(m(X[k]), (y[k] + 3) % 10); opt.zero_grad(); l.backward(); opt.step()
    torch.save(m.state_dict(), path)
path = tempfile.mktemp(); pretrain(path)
m = make(); m.load_state_dict(torch.load(path)); m[4] = nn.Linear(64, 10)
opt = torch.optim.Adam(m[4].parameters(), 5e-3)          # only the new head is trained
for i in range(200): k = torch.randint(700, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print(float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
