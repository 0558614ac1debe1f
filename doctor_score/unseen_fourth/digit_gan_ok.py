"""A GAN with dense layers for 8x8 digits."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


class Generator(nn.Module):
    def __init__(self, latent_dim):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(latent_dim, 128),
            nn.LeakyReLU(0.2),
            nn.Linear(128, 128),
            nn.LeakyReLU(0.2),
            nn.Linear(128, 64),
            nn.Tanh(),
        )

    def forward(self, z):
        return self.net(z)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(64, 128),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.3),
            nn.Linear(128, 64),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.3),
            nn.Linear(64, 1),
        )

    def forward(self, img):
        return self.net(img)


def energy_distance(a, b):
    """Zero when both samples come from one distribution."""
    return (2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()).item()


def main(opt):
    random.seed(opt.seed)
    np.random.seed(opt.seed)
    torch.manual_seed(opt.seed)
    torch.set_num_threads(1)

    images = load_digits().data.astype(np.float32) / 8.0 - 1.0
    train_imgs, held_out = train_test_split(images, test_size=0.25, random_state=opt.seed)
    held_out = torch.from_numpy(held_out)
    dataloader = DataLoader(
        TensorDataset(torch.from_numpy(train_imgs)), batch_size=opt.batch_size, shuffle=True, drop_last=True
    )

    generator, discriminator = Generator(opt.latent_dim), Discriminator()
    adversarial_loss = nn.BCEWithLogitsLoss()
    optimizer_G = torch.optim.Adam(generator.parameters(), lr=opt.lr, betas=(0.5, 0.999))
    optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=opt.lr, betas=(0.5, 0.999))
    fixed_noise = torch.randn(400, opt.latent_dim)

    for epoch in range(1, opt.n_epochs + 1):
        for (real,) in dataloader:
            valid = torch.ones(real.size(0), 1)
            fake = torch.zeros(real.size(0), 1)

            # generator
            optimizer_G.zero_grad()
            z = torch.randn(real.size(0), opt.latent_dim)
            gen_imgs = generator(z)
            g_loss = adversarial_loss(discriminator(gen_imgs), valid)
            g_loss.backward()
            optimizer_G.step()

            # discriminator
            optimizer_D.zero_grad()
            real_loss = adversarial_loss(discriminator(real), valid)
            fake_loss = adversarial_loss(discriminator(gen_imgs.detach()), fake)
            d_loss = (real_loss + fake_loss) / 2
            d_loss.backward()
            optimizer_D.step()

        if epoch % 10 == 0:
            generator.eval()
            with torch.no_grad():
                samples = generator(fixed_noise)
            generator.train()
            dist = energy_distance(samples, held_out)
            print(f"[{epoch}/{opt.n_epochs}] D {d_loss.item():.3f} G {g_loss.item():.3f} energy distance {dist:.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--n_epochs", type=int, default=70)
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=0.0005)
    parser.add_argument("--latent_dim", type=int, default=20)
    main(parser.parse_args())
