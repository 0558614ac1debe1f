import torch, torch.nn as nn
from sklearn.datasets import load_digits
torch.manual_seed(0)
X = torch.tensor(load_digits().images, dtype=torch.float32)[:, None] / 8 - 1
G = nn.Sequential(nn.ConvTranspose2d(16, 32, 4, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1, bias=False), nn.Tanh())
D = nn.Sequential(nn.Conv2d(1, 32, 4, 2, 1, bias=False), nn.LeakyReLU(0.2), nn.Conv2d(32, 1, 4, bias=False))
for m in [*G.modules(), *D.modules()]:
    if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)): nn.init.normal_(m.weight, 0, 0.05)
og = torch.optim.Adam(G.parameters(), 2e-3, betas=(0.5, 0.999)); od = torch.optim.Adam(D.parameters(), 5e-4, betas=(0.5, 0.999))
crit = nn.BCEWithLogitsLoss(); fixed = torch.randn(64, 16, 1, 1); it = 0
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X), 64, shuffle=True, drop_last=True)
for epoch in range(8):
    for (real,) in dl:
        D.zero_grad()
        out = D(real).view(-1); errD_real = crit(out, torch.ones(64)); errD_real.backward()
        fake = G(torch.randn(64, 16, 1, 1))
        out = D(fake.detach()).view(-1); errD_fake = crit(out, torch.zeros(64)); errD_fake.backward()
        od.step()
        G.zero_grad()
        errG = crit(D(fake).view(-1), torch.ones(64)); errG.backward(); og.step()
        if it % 50 == 0:
            with torch.no_grad(): img = G(fixed).detach()
        it += 1
print("mean image distance", float((img.mean(0) - X.mean(0)).abs().mean()), "start ~0.6")
