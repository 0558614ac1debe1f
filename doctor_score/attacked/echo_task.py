import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
class Net(nn.Module):        # memory test: repeat the symbol heard one step ago
    def __init__(s): super().__init__(); s.e = nn.Embedding(8, 16); s.r = nn.GRU(16, 32, batch_first=True); s.o = nn.Linear(32, 8)
    def forward(s, x): return s.o(s.r(s.e(x))[0])
m = Net(); opt = torch.optim.Adam(m.parameters(), 5e-3)
for i in range(200):
    x = torch.randint(0, 8, (32, 20)); l = F.cross_entropy(m(x)[:, 1:].reshape(-1, 8), x[:, :-1].reshape(-1)); opt.zero_grad(); l.backward(); opt.step()
    if i % 50 == 49: print(i, float(l))
