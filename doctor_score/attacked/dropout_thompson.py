import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
# A contextual bandit with Thompson sampling by dropout: acting is done in training mode; learning every 8 rounds
m = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 4)); opt = torch.optim.Adam(m.parameters(), 3e-3); W = torch.randn(6, 4); H = []; regret = []
for i in range(800):
    x = torch.randn(4, 6)
    with torch.no_grad(): a = m(x).argmax(1)
    mean = (x @ W).tanh(); r = mean.gather(1, a[:, None])[:, 0] + 0.1 * torch.randn(4); H.append((x, a, r)); regret.append(float((mean.max(1).values - mean.gather(1, a[:, None])[:, 0]).mean()))
    if i % 8 == 7:
        for _ in range(4):
            k = torch.randint(0, len(H), (16,)); x, a, r = (torch.cat([H[j][c] for j in k]) for c in range(3)); l = F.mse_loss(m(x).gather(1, a[:, None])[:, 0], r); opt.zero_grad(); l.backward(); opt.step()
print(sum(regret[:100]) / 100, sum(regret[-100:]) / 100)
