import torch, torch.nn as nn, torch.nn.functional as F, copy
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
class MoCo(nn.Module):
    def __init__(s): super().__init__(); s.q = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 32)); s.k = copy.deepcopy(s.q).requires_grad_(False); s.register_buffer("queue", F.normalize(torch.randn(512, 32))); s.p = 0
    def forward(s, a, b):
        q = F.normalize(s.q(a))
        with torch.no_grad():
            for pk, pq in zip(s.k.parameters(), s.q.parameters()): pk.mul_(0.99).add_(pq, alpha=0.01)
            k = F.normalize(s.k(b))
        lo = torch.cat([(q * k).sum(1, keepdim=True), q @ s.queue.clone().t()], 1) / 0.2
        with torch.no_grad(): s.queue[s.p:s.p + len(k)] = k; s.p = (s.p + len(k)) % 512
        return lo, torch.zeros(len(a), dtype=torch.long)
m = MoCo(); opt = torch.optim.SGD(m.q.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)
for i in range(300): x = X[torch.randint(0, 1400, (64,))]; l = F.cross_entropy(*m(x + 0.1 * torch.randn_like(x), x + 0.1 * torch.randn_like(x))); opt.zero_grad(); l.backward(); opt.step()
with torch.no_grad(): f = F.normalize(m.q(X)); nn_ = (f[1400:] @ f[:1400].t()).argmax(1); print(float(l), float((y[:1400][nn_] == y[1400:]).float().mean()))
