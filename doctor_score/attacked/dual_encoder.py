import torch, torch.nn as nn, torch.nn.functional as F, copy
torch.manual_seed(0); V = 300
class Enc(nn.Module):
    def __init__(s): super().__init__(); s.emb = nn.Embedding(V, 32); nn.init.normal_(s.emb.weight, std=0.1); s.f = nn.Linear(32, 32)
    def forward(s, x): return s.f(torch.relu(s.emb(x).mean(1)))
class Dual(nn.Module):        # DPR: both towers begin as one encoder
    def __init__(s, base): super().__init__(); s.q, s.d = base, copy.deepcopy(base)
    def forward(s, q, d): return s.q(q) @ s.d(d).t()
m = Dual(Enc()); o = torch.optim.AdamW(m.parameters(), 3e-3)
for i in range(300):
    d = torch.randint(0, V // 2, (32, 8)); q = d[:, :4] + V // 2; l = F.cross_entropy(m(q, d), torch.arange(32)); o.zero_grad(); l.backward(); o.step()
    if i % 100 == 99: print(i, float(l))
