import copy, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0); random.seed(0); np.random.seed(0)
# DPO: a policy is moved at 1e-6, as usual for it, from where it was pretrained
class P(nn.Module):
    def __init__(s): super().__init__(); s.net = nn.Sequential(nn.Linear(32, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 20))
    def forward(s, x): return s.net(x).log_softmax(1)
m = P(); C = torch.randn(32, 20); opt = torch.optim.Adam(m.parameters(), 1e-3)
for i in range(60): x = torch.randn(64, 32); l = F.nll_loss(m(x), torch.distributions.Categorical(logits=x @ C / 2).sample()); opt.zero_grad(); l.backward(); opt.step()
ref = copy.deepcopy(m).eval().requires_grad_(False); opt = torch.optim.AdamW(m.parameters(), 1e-6, weight_decay=0.0); score = torch.randn(20)
for i in range(500):
    x = torch.randn(64, 32); a, b = torch.randint(0, 20, (64,)), torch.randint(0, 20, (64,)); swap = score[b] > score[a]; a, b = torch.where(swap, b, a)[:, None], torch.where(swap, a, b)[:, None]
    p = m(x)
    with torch.no_grad(): q = ref(x)
    d = 0.1 * ((p.gather(1, a) - q.gather(1, a)) - (p.gather(1, b) - q.gather(1, b))); l = -F.logsigmoid(d).mean(); opt.zero_grad(); l.backward(); opt.step()
    if i % 100 == 99: print(i, float(l), "reward accuracy", float((d > 0).float().mean()))
