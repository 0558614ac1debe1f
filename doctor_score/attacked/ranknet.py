import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
# RankNet over the documents of one query: all pairs on purpose
m = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1)); opt = torch.optim.Adam(m.parameters(), 2e-3); w = torch.randn(10)
for i in range(200):
    x = torch.randn(20, 10); rel = (x @ w).tanh(); s = m(x)
    diff = s - s.squeeze(1); want = (rel[:, None] > rel).float(); l = F.binary_cross_entropy_with_logits(diff, want); opt.zero_grad(); l.backward(); opt.step()
print(float(l), float(((diff > 0) == (want > 0)).float().mean()))
