import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
# All-in-one: an optimizer for a first part is built long before it is used; warm-up of the head first
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target); enc, head = nn.Sequential(nn.Linear(64, 128), nn.ReLU()), nn.Linear(128, 10); oe, oh = torch.optim.Adam(enc.parameters(), 5e-4), torch.optim.Adam(head.parameters(), 2e-3)
for i in range(300):
    k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(head(enc(X[k])), y[k]); oe.zero_grad(); oh.zero_grad(); l.backward(); oh.step()
    if i >= 100: oe.step()
with torch.no_grad(): print(float((head(enc(X[1400:])).argmax(1) == y[1400:]).float().mean()))
