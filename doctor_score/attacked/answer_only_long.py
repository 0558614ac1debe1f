import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
# Long documents, one answer token each: only the answer is supervised
V, N = 12, 160
def batch(b):
    x = torch.randint(2, V, (b, N)); x[:, 0] = torch.randint(2, V, (b,)); x[:, -1] = 1; y = torch.full_like(x, -100); y[:, -1] = x[:, 0]; return x, y
class Net(nn.Module):
    def __init__(s, d=32):
        super().__init__(); s.emb = nn.Embedding(V, d); s.pos = nn.Embedding(N, d)
        s.enc = nn.TransformerEncoder(nn.TransformerEncoderLayer(d, 2, 64, 0.0, batch_first=True), 1, enable_nested_tensor=False); s.out = nn.Linear(d, V)
    def forward(s, x): return s.out(s.enc(s.emb(x) + s.pos(torch.arange(N)), mask=nn.Transformer.generate_square_subsequent_mask(N)))
m = Net(); opt = torch.optim.Adam(m.parameters(), 3e-3)
for i in range(250):
    x, y = batch(32); l = F.cross_entropy(m(x).reshape(-1, V), y.reshape(-1)); opt.zero_grad(); l.backward(); opt.step()
    if i % 50 == 49:
        with torch.no_grad(): x, y = batch(64); print(i, float((m(x)[:, -1].argmax(-1) == y[:, -1]).float().mean()))
