"""A GAN that learns points on a noisy ring."""
import argparse
import math
import random

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim


def real_batch(n):
    angle = torch.rand(n) * 2 * math.pi
    radius = 1.0 + 0.05 * torch.randn(n)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)


class Generator(nn.Module):
    def __init__(self, nz=8, width=64):
        super().__init__()
        self.main = nn.Sequential(
            nn.Linear(nz, width), nn.LeakyReLU(0.2),
            nn.Linear(width, width), nn.LeakyReLU(0.2),
            nn.Linear(width, 2),
        )

    def forward(self, z):
        return self.main(z)


class Discriminator(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.main = nn.Sequential(
            nn.Linear(2, width), nn.LeakyReLU(0.2),
            nn.Linear(width, width), nn.LeakyReLU(0.2),
            nn.Linear(width, 1),
        )

    def forward(self, x):
        return self.main(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)

    nz, batch_size, iters = 8, 128, 700
    netG, netD = Generator(nz), Discriminator()
    optG = optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.999))
    optD = optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.999))
    criterion = nn.BCEWithLogitsLoss()
    ones = torch.ones(batch_size, 1)
    zeros = torch.zeros(batch_size, 1)

    for it in range(1, iters + 1):
        # (1) discriminator: real against fake
        real = real_batch(batch_size)
        fake = netG(torch.randn(batch_size, nz))
        optD.zero_grad()
        lossD = criterion(netD(real), ones) + criterion(netD(fake.detach()), zeros)
        lossD.backward()
        optD.step()

        # (2) generator: make the discriminator say "real"
        optG.zero_grad()
        lossG = criterion(netD(fake), ones)
        lossG.backward()
        optG.step()

        if it % 100 == 0:
            with torch.no_grad():
                r = netG(torch.randn(500, nz)).norm(dim=1)
            print(f"[{it}/{iters}] D {lossD.item():.3f}  G {lossG.item():.3f}  "
                  f"radius {r.mean().item():.3f} +- {r.std().item():.3f}")


if __name__ == "__main__":
    main()
