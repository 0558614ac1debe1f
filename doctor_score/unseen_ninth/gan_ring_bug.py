import math

import torch
import torch.nn as nn

torch.manual_seed(42)

# Hyperparameters
nz = 8
batch_size = 256
num_iters = 2500
lr_g, lr_d = 1e-3, 1e-3
n_modes, radius, sigma = 8, 1.5, 0.1

centers = torch.tensor([[radius * math.cos(2 * math.pi * k / n_modes), radius * math.sin(2 * math.pi * k / n_modes)]
                        for k in range(n_modes)])


def sample_real(n):
    k = torch.randint(0, n_modes, (n,))
    return centers[k] + sigma * torch.randn(n, 2)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Linear(nz, 128), nn.ReLU(),
            nn.Linear(128, 128), nn.ReLU(),
            nn.Linear(128, 2),
        )

    def forward(self, z):
        return self.main(z)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Linear(2, 128), nn.LeakyReLU(0.2),
            nn.Linear(128, 128), nn.LeakyReLU(0.2),
            nn.Linear(128, 1),
        )

    def forward(self, x):
        return self.main(x).view(-1)


netG, netD = Generator(), Discriminator()
criterion = nn.BCEWithLogitsLoss()
optimizerD = torch.optim.Adam(netD.parameters(), lr=lr_d, betas=(0.5, 0.999))
optimizerG = torch.optim.Adam(netG.parameters(), lr=lr_g, betas=(0.5, 0.999))
fixed_noise = torch.randn(2000, nz)
ones, zeros = torch.ones(batch_size), torch.zeros(batch_size)


@torch.no_grad()
def quality():
    netG.eval()
    x = netG(fixed_noise)
    netG.train()
    dist, near = torch.cdist(x, centers).min(1)
    good = dist < 4 * sigma
    modes = len(near[good].unique())
    return good.float().mean().item(), modes


for it in range(1, num_iters + 1):
    # (1) Update D: maximize log(D(x)) + log(1 - D(G(z)))
    real = sample_real(batch_size)
    fake = netG(torch.randn(batch_size, nz)).detach()
    optimizerD.zero_grad()
    errD_real = criterion(netD(real), ones)
    errD_fake = criterion(netD(fake.detach()), zeros)
    errD = errD_real + errD_fake
    errD.backward()
    optimizerD.step()

    # (2) Update G: maximize log(D(G(z)))
    optimizerG.zero_grad()
    errG = criterion(netD(fake), ones)
    errG.backward()
    optimizerG.step()

    if it % 500 == 0:
        share, modes = quality()
        print(f"[{it}/{num_iters}] Loss_D: {errD.item():.4f} Loss_G: {errG.item():.4f} "
              f"good samples: {share:.3f} modes: {modes}/{n_modes}")
