import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
# One recording at a time: (T, F) features, a label for each frame: is the running sum of channel 0 positive
def rec(): n = int(torch.randint(40, 80, ())); x = torch.randn(n, 6); return x, (x[:, 0].cumsum(0) > 0).long()
data = [rec() for _ in range(80)]; val = [rec() for _ in range(20)]
class Tagger(nn.Module):
    def __init__(s): super().__init__(); s.rnn = nn.LSTM(6, 32, batch_first=True); s.out = nn.Linear(32, 2)
    def forward(s, x): return s.out(s.rnn(x)[0])
m = Tagger(); opt = torch.optim.Adam(m.parameters(), 3e-3)
for ep in range(4):
    for x, y in data: l = F.cross_entropy(m(x), y); opt.zero_grad(); l.backward(); opt.step()
    with torch.no_grad(): print(ep, sum(float((m(x).argmax(1) == y).float().mean()) for x, y in val) / 20)
