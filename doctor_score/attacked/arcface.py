import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
p = torch.randperm(len(X)); tr, va = p[:1400], p[1400:]
class Arc(nn.Module):
    def __init__(s, dim, n, scale=64., m=0.5):
        super().__init__(); s.w = nn.Parameter(torch.empty(n, dim)); nn.init.xavier_uniform_(s.w); s.s, s.m = scale, m
    def forward(s, e, t):
        cos = F.linear(F.normalize(e), F.normalize(s.w)).clamp(-1 + 1e-6, 1 - 1e-6)
        tgt = torch.cos(torch.acos(cos) + s.m)
        one = F.one_hot(t, cos.shape[1]).bool()
        return s.s * torch.where(one, tgt, cos)
enc = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 32)); arc = Arc(32, 10)
opt = torch.optim.Adam([*enc.parameters(), *arc.parameters()], 1e-3)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[tr], y[tr]), 64, shuffle=True)
for epoch in range(8):
    for x, t in dl:
        opt.zero_grad(); loss = F.cross_entropy(arc(enc(x), t), t); loss.backward(); opt.step()
    with torch.no_grad(): print(epoch, float(loss), float((F.linear(F.normalize(enc(X[va])), F.normalize(arc.w)).argmax(1) == y[va]).float().mean()))
