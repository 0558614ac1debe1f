import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
V = 12; T = torch.softmax(torch.randn(V, V) * 3, 1)
def sample(b, n):
    x = [torch.randint(0, V, (b,))]
    for _ in range(n - 1): x.append(torch.multinomial(T[x[-1]], 1)[:, 0])
    return torch.stack(x, 1)
class BiLM(nn.Module):
    def __init__(s):
        super().__init__(); s.emb = nn.Embedding(V, 32); s.f = nn.LSTM(32, 64, batch_first=True); s.b = nn.LSTM(32, 64, batch_first=True); s.out = nn.Linear(64, V)
    def forward(s, x):
        e = s.emb(x); h, _ = s.f(e); g, _ = s.b(e.flip(1))
        return s.out(h), s.out(g.flip(1))
m = BiLM(); opt = torch.optim.Adam(m.parameters(), 3e-3); val = sample(128, 24)
for i in range(250):
    x = sample(32, 24); fw, bw = m(x)
    loss = (F.cross_entropy(fw[:, :-1].reshape(-1, V), x[:, 1:].reshape(-1)) + F.cross_entropy(bw[:, 1:].reshape(-1, V), x[:, :-1].reshape(-1))) / 2
    opt.zero_grad(); loss.backward(); opt.step()
    if i % 50 == 49:
        m.eval()
        with torch.no_grad(): fw, bw = m(val); print(i, float(F.cross_entropy(fw[:, :-1].reshape(-1, V), val[:, 1:].reshape(-1))), float(F.cross_entropy(bw[:, 1:].reshape(-1, V), val[:, :-1].reshape(-1))))
        m.train()
