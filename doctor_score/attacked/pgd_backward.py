import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
p = torch.randperm(len(X)); tr, va = p[:1400], p[1400:]
net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
opt = torch.optim.Adam(net.parameters(), 2e-3)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[tr], y[tr]), 64, shuffle=True)
def pgd(x, t):
    net.eval(); adv = x.clone()
    for _ in range(4):
        adv = adv.detach().requires_grad_()
        F.cross_entropy(net(adv), t).backward()
        adv = (adv + 0.02 * adv.grad.sign()).clamp(x - 0.06, x + 0.06).clamp(0, 1)
    net.train(); return adv.detach()
for epoch in range(6):
    for x, t in dl:
        adv = pgd(x, t)
        opt.zero_grad(); F.cross_entropy(net(adv), t).backward(); opt.step()
    net.eval()
    with torch.no_grad(): print(epoch, float((net(X[va]).argmax(1) == y[va]).float().mean()))
    net.train()
