import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
m = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)); opts = {p: torch.optim.Adam([p], 1e-3) for p in m.parameters()}
def hook(p): opts[p].step(); opts[p].zero_grad()
for p in m.parameters(): p.register_post_accumulate_grad_hook(hook)
for i in range(250): k = torch.randint(0, 1400, (64,)); F.cross_entropy(m(X[k]), y[k]).backward()
with torch.no_grad(): print(float((m(X[1400:]).argmax(1) == y[1400:]).float().mean()))
