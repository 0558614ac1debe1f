import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.images, dtype=torch.float32)[:, None] / 16; y = torch.tensor(d.target)
m = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(), nn.Linear(512, 10))
opt = torch.optim.Adam(m.parameters(), 2e-3)
for i in range(200):
    k = torch.randint(0, 1200, (64,)); l = F.cross_entropy(m(X[k]), y[k]); opt.zero_grad(); l.backward(); opt.step()
m.eval(); Z = X[1200:] * 0.5 + 0.3
with torch.no_grad(): print("source only", float((m(Z).argmax(1) == y[1200:]).float().mean()))
def configure(model):       # as in the code of TENT
    model.train(); model.requires_grad_(False); ps = []
    for b in model.modules():
        if isinstance(b, nn.BatchNorm2d):
            b.requires_grad_(True); b.track_running_stats = False; b.running_mean = None; b.running_var = None; ps += [b.weight, b.bias]
    return ps
opt = torch.optim.Adam(configure(m), 1e-3); hits = 0
for a in range(0, len(Z), 64):
    out = m(Z[a:a + 64]); p = out.softmax(1); loss = -(p * out.log_softmax(1)).sum(1).mean(); loss.backward(); opt.step(); opt.zero_grad()
    hits += int((out.argmax(1) == y[1200 + a:1200 + a + 64]).sum())
print("tent", hits / len(Z))
