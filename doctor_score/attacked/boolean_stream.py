import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
# Majority of 11 bits, samples drawn anew for each step and for each check
def batch(b): x = (torch.rand(b, 11) < 0.5).float(); return x * 2 - 1, (x.sum(1) > 5.5).long()
m = nn.Sequential(nn.Linear(11, 64), nn.ReLU(), nn.Linear(64, 2)); opt = torch.optim.Adam(m.parameters(), 2e-3)
for i in range(200):
    x, y = batch(64); l = F.cross_entropy(m(x), y); opt.zero_grad(); l.backward(); opt.step()
    if i % 20 == 19:
        m.eval()
        with torch.no_grad(): x, y = batch(256); print(i, float((m(x).argmax(1) == y).float().mean()))
        m.train()
