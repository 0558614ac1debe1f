import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
# Does a curve rise or fall? model(times, values): the times are the same grid for all
t = torch.linspace(0, 1, 20)
class Net(nn.Module):
    def __init__(s): super().__init__(); s.a = nn.Linear(40, 32); s.b = nn.Linear(32, 2)
    def forward(s, t, v): return s.b(F.relu(s.a(torch.cat([t, v], 1))))
m = Net(); opt = torch.optim.Adam(m.parameters(), 2e-3)
for i in range(150):
    a = torch.randn(32, 1); v = a * t + 0.2 * torch.randn(32, 20); y = (a[:, 0] > 0).long(); o = m(t.expand(32, 20), v); l = F.cross_entropy(o, y); opt.zero_grad(); l.backward(); opt.step()
print(float(l), float((o.argmax(1) == y).float().mean()))
