#!/usr/bin/env python3
"""A minimal GAN that learns to sample from a noisy ring in the plane."""

import argparse
import math

import torch
from torch import nn

LATENT = 8
BATCH = 128
STEPS = 700


def real_batch(n):
    angle = 2 * math.pi * torch.rand(n)
    radius = 1.0 + 0.05 * torch.randn(n)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)


def make_generator():
    return nn.Sequential(
        nn.Linear(LATENT, 64), nn.LeakyReLU(0.2),
        nn.Linear(64, 64), nn.LeakyReLU(0.2),
        nn.Linear(64, 2),
    )


def make_discriminator():
    return nn.Sequential(
        nn.Linear(2, 64), nn.LeakyReLU(0.2),
        nn.Linear(64, 64), nn.LeakyReLU(0.2),
        nn.Linear(64, 1),
    )


def report(step, G, loss_d, loss_g, z):
    with torch.no_grad():
        r = G(z).norm(dim=1)
    print(f"[{step:4d}/{STEPS}] D {loss_d.item():.3f}  G {loss_g.item():.3f}  radius {r.mean():.3f} +- {r.std():.3f}")


def main(seed):
    torch.manual_seed(seed)
    torch.set_num_threads(1)

    G, D = make_generator(), make_discriminator()
    opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
    bce = nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)
    fixed_z = torch.randn(512, LATENT)

    for step in range(1, STEPS + 1):
        real = real_batch(BATCH)
        fake = G(torch.randn(BATCH, LATENT)).detach()

        # discriminator: real -> 1, fake -> 0
        opt_d.zero_grad()
        loss_d = bce(D(real), ones) + bce(D(fake), zeros)
        loss_d.backward()
        opt_d.step()

        # generator: make the discriminator say 1
        opt_g.zero_grad()
        loss_g = bce(D(fake), ones)
        loss_g.backward()
        opt_g.step()

        if step % 100 == 0:
            report(step, G, loss_d, loss_g, fixed_z)


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    main(p.parse_args().seed)
