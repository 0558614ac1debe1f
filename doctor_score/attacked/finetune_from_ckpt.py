import torch, torch.nn as nn, torch.nn.functional as F, tempfile
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target); mk = lambda: nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)); path = tempfile.mktemp()
def pretrain():
    m = mk(); o = torch.optim.Adam(m.parameters(), 1e-3)
    for i in range(200): k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); o.zero_grad(); l.backward(); o.step()
    torch.save(dict(model=m.state_dict(), optimizer=o.state_dict(), epoch=3), path)
pretrain(); Z = 1 - X
m = mk(); m.load_state_dict(torch.load(path)["model"]); o = torch.optim.Adam(m.parameters(), 1e-3)       # another domain: a new training, from these weights
for i in range(1500): k = torch.randint(0, 1300, (64,)); l = F.cross_entropy(m(Z[k]), y[k]); o.zero_grad(); l.backward(); o.step()
with torch.no_grad(): print(float((m(Z[1400:]).argmax(1) == y[1400:]).float().mean()))
