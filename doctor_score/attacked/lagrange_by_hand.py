import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
# A constrained fit: mean output must be 0.3; the multiplier ascends by hand
X = torch.randn(500, 4); y = (X[:, :1] + 0.5 * X[:, 1:2]).tanh()
class Net(nn.Module):
    def __init__(s): super().__init__(); s.net = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1)); s.lam = nn.Parameter(torch.zeros(1))
    def forward(s, x): o = s.net(x); return o, s.lam * (o.mean() - 0.3)
m = Net(); opt = torch.optim.Adam(m.net.parameters(), 3e-3)
for i in range(600):
    o, pen = m(X); l = F.mse_loss(o, y) + pen.sum(); opt.zero_grad(); m.lam.grad = None; l.backward(); opt.step()
    with torch.no_grad(): m.lam += 0.02 * m.lam.grad
print(float(o.mean()), float(F.mse_loss(o, y)))
