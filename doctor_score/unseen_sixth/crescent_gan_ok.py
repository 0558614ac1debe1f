import argparse
import math
import random

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim

# GAN hyperparameters
nz = 8
ngf = 96
ndf = 96
batch_size = 128
num_epochs = 25
iters_per_epoch = 150
lr = 1e-4
beta1 = 0.5


def real_batch(n, gen):
    """points on a crescent, thick in the middle and thin at its horns"""
    angle = math.pi * torch.rand(n, generator=gen)
    width = 0.35 * torch.sin(angle)
    radius = 1.0 + width * (torch.rand(n, generator=gen) - 0.5)
    xy = torch.stack([radius * torch.cos(angle), radius * torch.sin(angle) - 0.6], 1)
    return xy + 0.01 * torch.randn(n, 2, generator=gen)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Linear(nz, ngf),
            nn.LeakyReLU(0.2),
            nn.Linear(ngf, ngf),
            nn.LeakyReLU(0.2),
            nn.Linear(ngf, 2),
        )

    def forward(self, z):
        return self.main(z)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Linear(2, ndf),
            nn.LeakyReLU(0.2),
            nn.Linear(ndf, ndf),
            nn.LeakyReLU(0.2),
            nn.Linear(ndf, 1),
        )

    def forward(self, x):
        return self.main(x).squeeze(1)


@torch.no_grad()
def sliced_w1(a, b, n_dirs=32):
    th = torch.arange(n_dirs) * math.pi / n_dirs
    dirs = torch.stack([torch.cos(th), torch.sin(th)])
    return ((a @ dirs).sort(0).values - (b @ dirs).sort(0).values).abs().mean().item()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    opt = ap.parse_args()
    random.seed(opt.seed)
    np.random.seed(opt.seed)
    torch.manual_seed(opt.seed)

    data_gen = torch.Generator().manual_seed(opt.seed + 1)
    eval_gen = torch.Generator().manual_seed(opt.seed + 2)
    fixed_noise = torch.randn(1000, nz, generator=eval_gen)
    held_out = real_batch(1000, eval_gen)

    netG, netD = Generator(), Discriminator()
    criterion = nn.BCEWithLogitsLoss()
    optimizerD = optim.Adam(netD.parameters(), lr=lr, betas=(beta1, 0.999))
    optimizerG = optim.Adam(netG.parameters(), lr=lr, betas=(beta1, 0.999))
    ones, zeros = torch.ones(batch_size), torch.zeros(batch_size)

    print("Starting Training Loop...")
    for epoch in range(num_epochs):
        sum_d = sum_g = 0.0
        for _ in range(iters_per_epoch):
            # (1) Update D network: maximize log(D(x)) + log(1 - D(G(z)))
            netD.zero_grad()
            real = real_batch(batch_size, data_gen)
            errD_real = criterion(netD(real), ones)
            fake = netG(torch.randn(batch_size, nz))
            errD_fake = criterion(netD(fake.detach()), zeros)
            errD = errD_real + errD_fake
            errD.backward()
            optimizerD.step()

            # (2) Update G network: maximize log(D(G(z)))
            netG.zero_grad()
            output = netD(fake)
            errG = criterion(output, ones)
            errG.backward()
            optimizerG.step()

            sum_d += errD.item()
            sum_g += errG.item()

        netG.eval()
        with torch.no_grad():
            samples = netG(fixed_noise)
        netG.train()
        print("[%d/%d]\tLoss_D: %.4f\tLoss_G: %.4f\tSW1: %.4f" % (
            epoch + 1, num_epochs, sum_d / iters_per_epoch, sum_g / iters_per_epoch,
            sliced_w1(samples, held_out)))


if __name__ == "__main__":
    main()
