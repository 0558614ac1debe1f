import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
# Baskets of goods: a basket is a set; whether it holds more food than tools
N = 40; kind = torch.rand(N) < 0.5
def batch(b): x = torch.stack([torch.randperm(N)[:9] for _ in range(b)]); return x, (kind[x].float().mean(1) > 0.5).long()
class SetNet(nn.Module):
    def __init__(s, d=32):
        super().__init__(); s.emb = nn.Embedding(N, d); s.enc = nn.TransformerEncoder(nn.TransformerEncoderLayer(d, 4, 64, 0.0, batch_first=True), 1, enable_nested_tensor=False); s.out = nn.Linear(d, 2)
    def forward(s, x): return s.out(s.enc(s.emb(x)).mean(1))
m = SetNet(); opt = torch.optim.Adam(m.parameters(), 2e-3); xv, yv = batch(400)
for i in range(200):
    x, y = batch(64); l = F.cross_entropy(m(x), y); opt.zero_grad(); l.backward(); opt.step()
    if i % 50 == 49:
        with torch.no_grad(): print(i, float((m(xv).argmax(1) == yv).float().mean()))
