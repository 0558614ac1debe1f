import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
V, P, N = 16, 12, 20     # prefix of 12 is seen in both directions, then 8 tokens: the prefix's first 8 sorted
def batch(b):
    src = torch.randint(1, V, (b, P)); tgt = src.sort(1).values[:, :8]
    x = torch.cat([src, tgt], 1); y = torch.full_like(x, -100); y[:, P - 1:-1] = tgt; return x, y
mask = torch.ones(N, N).tril().bool(); mask[:P, :P] = True
class LM(nn.Module):
    def __init__(s, d=64):
        super().__init__(); s.emb = nn.Embedding(V, d); s.pos = nn.Embedding(N, d)
        s.enc = nn.TransformerEncoder(nn.TransformerEncoderLayer(d, 4, 128, 0.0, batch_first=True), 2, enable_nested_tensor=False); s.out = nn.Linear(d, V)
    def forward(s, x): return s.out(s.enc(s.emb(x) + s.pos(torch.arange(N)), mask=~mask))
m = LM(); opt = torch.optim.AdamW(m.parameters(), 2e-3)
for i in range(250):
    x, y = batch(64); loss = F.cross_entropy(m(x).reshape(-1, V), y.reshape(-1)); opt.zero_grad(); loss.backward(); opt.step()
    if i % 50 == 49:
        with torch.no_grad(): x, y = batch(256); k = y != -100; print(i, float(loss), float((m(x).argmax(-1)[k] == y[k]).float().mean()))
