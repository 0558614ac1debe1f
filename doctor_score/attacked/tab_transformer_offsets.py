import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
sizes = [5, 7, 4, 9, 6]; off = torch.tensor([0, 5, 12, 16, 25]); n = 3000
C = torch.stack([torch.randint(0, k, (n,)) for k in sizes], 1); w = [torch.randn(k) for k in sizes]
s = sum(w[j][C[:, j]] for j in range(5)); y = (s > s.median()).long(); C = C + off     # ids are unique over columns
class Tab(nn.Module):
    def __init__(s, d=32):
        super().__init__(); s.emb = nn.Embedding(31, d); s.cls = nn.Parameter(torch.randn(1, 1, d) * 0.02); s.enc = nn.TransformerEncoder(nn.TransformerEncoderLayer(d, 4, 64, 0.1, batch_first=True), 2, enable_nested_tensor=False); s.out = nn.Linear(d, 2)
    def forward(s, x): h = torch.cat([s.cls.expand(len(x), -1, -1), s.emb(x)], 1); return s.out(s.enc(h)[:, 0])
m = Tab(); opt = torch.optim.AdamW(m.parameters(), 2e-3)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(C[:2400], y[:2400]), 64, shuffle=True)
for ep in range(6):
    m.train()
    for x, t in dl: l = F.cross_entropy(m(x), t); opt.zero_grad(); l.backward(); opt.step()
    m.eval()
    with torch.no_grad(): print(ep, float((m(C[2400:]).argmax(1) == y[2400:]).float().mean()))
