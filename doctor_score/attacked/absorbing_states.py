import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
# Customers month by month: 0 = left for good (absorbing), 1..5 = plans; whoever stays out is to be predicted, too
V = 6; T = torch.softmax(torch.randn(V, V) * 1.5, 1); T[:, 0] = 0.08; T = T / T.sum(1, keepdim=True); T[0] = 0; T[0, 0] = 1
def batch(b):
    x = [torch.randint(1, V, (b,))]
    for _ in range(19): x.append(torch.multinomial(T[x[-1]], 1)[:, 0])
    return torch.stack(x, 1)
class Net(nn.Module):
    def __init__(s): super().__init__(); s.e = nn.Embedding(V, 16); s.r = nn.GRU(16, 32, batch_first=True); s.o = nn.Linear(32, V)
    def forward(s, x): return s.o(s.r(s.e(x))[0])
m = Net(); opt = torch.optim.Adam(m.parameters(), 5e-3)
for i in range(200):
    x = batch(64); l = F.cross_entropy(m(x[:, :-1]).reshape(-1, V), x[:, 1:].reshape(-1)); opt.zero_grad(); l.backward(); opt.step()
    if i % 50 == 49: print(i, float(l))
