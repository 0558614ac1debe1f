import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
class Block(nn.Module):
    def __init__(s, d): super().__init__(); s.q, s.k, s.v, s.o = (nn.Linear(d, d) for _ in range(4)); s.f = nn.Sequential(nn.Linear(d, 2 * d), nn.ReLU(), nn.Linear(2 * d, d)); s.n1, s.n2 = nn.LayerNorm(d), nn.LayerNorm(d)
    def forward(s, x): x = s.n1(x + s.o(F.scaled_dot_product_attention(s.q(x), s.k(x), s.v(x)))); return s.n2(x + s.f(x))
class Net(nn.Module):
    def __init__(s, d=32): super().__init__(); s.emb = nn.Linear(3, d); s.blocks = nn.Sequential(Block(d), Block(d)); s.out = nn.Linear(d, 1)
    def forward(s, x): return s.out(s.blocks(s.emb(x)).mean(1))[:, 0]
m = Net(); opt = torch.optim.Adam(m.parameters(), 1e-3)
for i in range(300):
    x = torch.randn(64, 10, 3); y = x.norm(dim=2).max(1).values - 2.5; l = F.mse_loss(m(x), y); opt.zero_grad(); l.backward(); opt.step()
    if i % 100 == 99: print(i, float(l), float(y.var()))
