import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
enc, head = nn.Sequential(nn.Linear(64, 128), nn.ReLU()), nn.Linear(128, 10); m = nn.Sequential(enc, head); oe, oh = torch.optim.SGD(enc.parameters(), 0.3), torch.optim.SGD(head.parameters(), 0.3)
for i in range(400):       # block-wise: encoder and head take turns of 20 steps, the other's rate is 0
    on = (i // 20) % 2 == 0; oe.param_groups[0]["lr"], oh.param_groups[0]["lr"] = (0.3, 0.0) if on else (0.0, 0.3)
    k = torch.randint(0, 1400, (64,)); l = F.cross_entropy(m(X[k]), y[k]); oe.zero_grad(); oh.zero_grad(); l.backward(); oe.step(); oh.step()
with torch.no_grad(): print(float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
