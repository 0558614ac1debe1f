import torch, torch.nn as nn, torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm
torch.manual_seed(0)
X = torch.randn(512, 16); y = (X[:, 0] * X[:, 1] > 0).long()
m = nn.Sequential(spectral_norm(nn.Linear(16, 64)), nn.ReLU(), spectral_norm(nn.Linear(64, 2))); o = torch.optim.Adam(m.parameters(), 5e-3)
for i in range(40): k = torch.randint(0, 512, (32,)); l = F.cross_entropy(m(X[k]), y[k]); o.zero_grad(); l.backward(); o.step()
print(float(l))
