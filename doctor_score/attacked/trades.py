import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
p = torch.randperm(len(X)); tr, va = p[:1400], p[1400:]
net = nn.Sequential(nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
opt = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[tr], y[tr]), 64, shuffle=True)
for epoch in range(6):
    for x, t in dl:
        net.eval()
        adv = x + 0.001 * torch.randn_like(x)
        for _ in range(5):
            adv.requires_grad_()
            with torch.enable_grad():
                kl = F.kl_div(F.log_softmax(net(adv), 1), F.softmax(net(x), 1), reduction="sum")
            g = torch.autograd.grad(kl, [adv])[0]
            adv = (adv.detach() + 0.02 * g.sign()).clamp(x - 0.06, x + 0.06).clamp(0, 1)
        net.train(); opt.zero_grad()
        out = net(x)
        loss = F.cross_entropy(out, t) + 2 * F.kl_div(F.log_softmax(net(adv.detach()), 1), F.softmax(out, 1), reduction="batchmean")
        loss.backward(); opt.step()
    net.eval()
    with torch.no_grad(): print(epoch, float((net(X[va]).argmax(1) == y[va]).float().mean()))
