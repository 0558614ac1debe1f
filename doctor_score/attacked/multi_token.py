import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
V = 12; T = torch.softmax(torch.randn(V, V) * 4, 1)
def sample(b, n):
    x = [torch.randint(0, V, (b,))]
    for _ in range(n - 1): x.append(torch.multinomial(T[x[-1]], 1)[:, 0])
    return torch.stack(x, 1)
class MTP(nn.Module):
    def __init__(s, d=48, k=2):
        super().__init__(); s.emb = nn.Embedding(V, d); s.pos = nn.Embedding(32, d)
        s.enc = nn.TransformerEncoder(nn.TransformerEncoderLayer(d, 4, 96, 0.0, batch_first=True), 2, enable_nested_tensor=False)
        s.heads = nn.ModuleList(nn.Linear(d, V) for _ in range(k))
    def forward(s, x):
        n = x.shape[1]; h = s.enc(s.emb(x) + s.pos(torch.arange(n)), mask=nn.Transformer.generate_square_subsequent_mask(n))
        return [head(h) for head in s.heads]
m = MTP(); opt = torch.optim.AdamW(m.parameters(), 3e-3)
for i in range(200):
    x = sample(32, 24); outs = m(x)
    loss = sum(F.cross_entropy(o[:, :-(k + 1)].reshape(-1, V), x[:, k + 1:].reshape(-1)) for k, o in enumerate(outs))
    opt.zero_grad(); loss.backward(); opt.step()
    if i % 50 == 49: print(i, float(loss))
