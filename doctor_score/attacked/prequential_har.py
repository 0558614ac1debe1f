import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
# Activities as they come from a wrist: test, then train, in the order of time; an activity lasts a while. The memory's samples are mixed in later
C = torch.randn(4, 12); m = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 4)); opt = torch.optim.SGD(m.parameters(), 0.05); hits = []
for i in range(300):
    k = int(torch.randint(0, 4, ())) if i % 4 == 0 else k; x = C[k] + torch.randn(16, 12); y = torch.full((16,), k)
    o = m(x); hits.append(float((o.argmax(1) == y).float().mean())); l = F.cross_entropy(o, y); opt.zero_grad(); l.backward(); opt.step()
print(sum(hits[:40]) / 40, sum(hits[-40:]) / 40)
