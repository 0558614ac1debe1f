import argparse
import math
import random

import numpy as np
import torch
from torch import nn

# GAN on 1-d pulses ("heartbeats") of 32 samples.

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--n_epochs", type=int, default=40, help="number of epochs of training")
parser.add_argument("--batch_size", type=int, default=64, help="size of the batches")
parser.add_argument("--lr", type=float, default=0.0004, help="adam: learning rate")
parser.add_argument("--b1", type=float, default=0.5, help="adam: decay of first order momentum of gradient")
parser.add_argument("--latent_dim", type=int, default=12, help="dimensionality of the latent space")
opt = parser.parse_args()
print(opt)

torch.manual_seed(opt.seed)
np.random.seed(opt.seed)
random.seed(opt.seed)

LENGTH = 32


def real_pulses(n):
    t = torch.linspace(0, 1, LENGTH)[None]
    pos = 0.35 + 0.3 * torch.rand(n, 1)
    width = 0.04 + 0.03 * torch.rand(n, 1)
    height = 0.6 + 0.3 * torch.rand(n, 1)
    r_wave = height * torch.exp(-((t - pos) / width) ** 2)
    t_wave = 0.3 * height * torch.exp(-((t - pos - 0.22) / (1.6 * width)) ** 2)
    base = 0.05 * torch.sin(2 * math.pi * (t + torch.rand(n, 1)))
    return (r_wave + t_wave + base) * 1.6 - 0.7


class Generator(nn.Module):
    def __init__(self):
        super().__init__()

        def block(in_feat, out_feat, normalize=True):
            layers = [nn.Linear(in_feat, out_feat)]
            if normalize:
                layers.append(nn.BatchNorm1d(out_feat))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            return layers

        self.model = nn.Sequential(
            *block(opt.latent_dim, 64, normalize=False),
            *block(64, 128),
            *block(128, 128),
            nn.Linear(128, LENGTH),
            nn.Tanh(),
        )

    def forward(self, z):
        return self.model(z)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(LENGTH, 128),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(128, 64),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(64, 1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return self.model(x)


adversarial_loss = nn.BCELoss()
generator = Generator()
discriminator = Discriminator()

data = real_pulses(6400)
dataloader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(data), batch_size=opt.batch_size, shuffle=True, drop_last=True)
reference = real_pulses(1000)
fixed_z = torch.randn(1000, opt.latent_dim)

optimizer_G = torch.optim.Adam(generator.parameters(), lr=opt.lr, betas=(opt.b1, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=opt.lr, betas=(opt.b1, 0.999))


@torch.no_grad()
def distance_to_real():
    """mean distance of a generated pulse to the nearest real one and the other way round"""
    generator.eval()
    fake = generator(fixed_z)
    generator.train()
    d = torch.cdist(fake, reference)
    return (d.min(1).values.mean() + d.min(0).values.mean()).item() / 2


# ----------
#  Training
# ----------
for epoch in range(opt.n_epochs):
    for i, (pulses,) in enumerate(dataloader):

        # Adversarial ground truths
        valid = torch.ones(pulses.size(0), 1)
        fake = torch.zeros(pulses.size(0), 1)

        # ---------------------
        #  Train Discriminator
        # ---------------------
        optimizer_D.zero_grad()

        z = torch.randn(pulses.size(0), opt.latent_dim)
        gen_pulses = generator(z)

        real_loss = adversarial_loss(discriminator(pulses), valid)
        fake_loss = adversarial_loss(discriminator(gen_pulses.detach()), fake)
        d_loss = (real_loss + fake_loss) / 2
        d_loss.backward()
        optimizer_D.step()

        # -----------------
        #  Train Generator
        # -----------------
        optimizer_G.zero_grad()

        # Loss measures generator's ability to fool the discriminator
        g_loss = adversarial_loss(discriminator(gen_pulses.detach()), valid)
        g_loss.backward()
        optimizer_G.step()

    print("[Epoch %d/%d] [D loss: %f] [G loss: %f] [distance: %.4f]"
          % (epoch, opt.n_epochs, d_loss.item(), g_loss.item(), distance_to_real()))
