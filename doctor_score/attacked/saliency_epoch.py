import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
torch.manual_seed(0)
d = load_digits(); X = torch.tensor(d.data, dtype=torch.float32) / 16; y = torch.tensor(d.target)
p = torch.randperm(len(X)); tr, va = p[:1400], p[1400:]
net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10))
opt = torch.optim.Adam(net.parameters(), 2e-3)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[tr], y[tr]), 64, shuffle=True)
for epoch in range(6):
    net.train()
    for x, t in dl:
        loss = F.cross_entropy(net(x), t); loss.backward(); opt.step(); opt.zero_grad()
    net.eval()
    with torch.no_grad(): acc = float((net(X[va]).argmax(1) == y[va]).float().mean())
    img = X[va][:8].clone().requires_grad_()          # a saliency map for the report
    net(img).gather(1, y[va][:8, None]).sum().backward()
    sal = img.grad.abs().mean(0).topk(3).indices.tolist(); opt.zero_grad()
    print(epoch, acc, sal)
