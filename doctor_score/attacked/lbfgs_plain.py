import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(400, 5); y = X[:, :1].sin() + X[:, 1:2] ** 2
m = nn.Sequential(nn.Linear(5, 20), nn.Tanh(), nn.Linear(20, 1)); o = torch.optim.LBFGS(m.parameters(), lr=0.5)
def closure(): o.zero_grad(); l = F.mse_loss(m(X), y); l.backward(); return l
for i in range(30): o.step(closure)
print(F.mse_loss(m(X), y).item())
