import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# PointNet segmentation, one cloud at a time from a loader; each point's label depends on the cloud
class Clouds(torch.utils.data.Dataset):
    def __len__(s): return 200
    def __getitem__(s, i): g = torch.Generator().manual_seed(i); n = 100 + i % 50; p = torch.randn(n, 3, generator=g) * (0.5 + torch.rand(1, 3, generator=g) * 2); return p, (p[:, 0] > 0.5 * p[:, 0].max()).long()
class Seg(nn.Module):
    def __init__(s): super().__init__(); s.a = nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Linear(64, 64)); s.b = nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 2))
    def forward(s, p): h = s.a(p); return s.b(torch.cat([h, h.max(0, keepdim=True).values.expand_as(h)], 1))
m = Seg(); opt = torch.optim.Adam(m.parameters(), 2e-3); dl = torch.utils.data.DataLoader(Clouds(), batch_size=None, shuffle=True)
for ep in range(4):
    for p, t in dl: l = F.cross_entropy(m(p), t, weight=torch.tensor([1.0, 4.0])); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): print("balanced accuracy", [float((m(p).argmax(1)[t == c] == c).float().mean()) for c in (0, 1) for p, t in [Clouds()[1000]]])
