import torch, torch.nn as nn
torch.manual_seed(0)
# A sparse dictionary of 512 features; each sample uses 4 of 200 directions
Dir = nn.functional.normalize(torch.randn(200, 64), dim=1)
def batch(b): return sum(Dir[torch.randint(0, 200, (b,))] * (1 + torch.rand(b, 1)) for _ in range(3))
class SAE(nn.Module):
    def __init__(s): super().__init__(); s.e = nn.Linear(64, 512); s.act = nn.ReLU(); s.d = nn.Linear(512, 64); s.e.bias.data.fill_(-0.8); s.e.weight.data.copy_(s.d.weight.data.t() * 4)
    def forward(s, x): z = s.act(s.e(x)); return s.d(z), z
m = SAE(); opt = torch.optim.Adam(m.parameters(), 2e-3)
for i in range(600):
    x = batch(16); r, z = m(x); l = ((r - x) ** 2).sum(1).mean() + 0.5 * z.sum(1).mean(); opt.zero_grad(); l.backward(); opt.step()
    if i % 100 == 99: print(i, float(((r - x) ** 2).sum(1).mean()), float((x ** 2).sum(1).mean()), float((z > 0).sum(1).float().mean()))
