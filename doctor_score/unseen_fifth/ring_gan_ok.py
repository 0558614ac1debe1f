#!/usr/bin/env python3
# GAN on the "ring of gaussians" toy problem that every GAN paper has.
# Two players, two optimizers, non-saturating loss.
import argparse
import math

import torch
import torch.nn as nn

BATCH, Z, MODES, SIGMA = 256, 8, 8, 0.08


def real_batch(n, gen):
    k = torch.randint(MODES, (n,), generator=gen)
    angle = 2 * math.pi * k / MODES
    centers = torch.stack([angle.cos(), angle.sin()], dim=1) * 1.5
    return centers + SIGMA * torch.randn(n, 2, generator=gen)


def centers():
    angle = 2 * math.pi * torch.arange(MODES) / MODES
    return torch.stack([angle.cos(), angle.sin()], dim=1) * 1.5


class Generator(nn.Module):
    def __init__(self, hidden=96):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(Z, hidden), nn.LeakyReLU(0.2),
            nn.Linear(hidden, hidden), nn.LeakyReLU(0.2),
            nn.Linear(hidden, 2),
        )

    def forward(self, z):
        return self.net(z)


class Discriminator(nn.Module):
    def __init__(self, hidden=96):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(2, hidden), nn.LeakyReLU(0.2),
            nn.Linear(hidden, hidden), nn.LeakyReLU(0.2),
            nn.Linear(hidden, 1),
        )

    def forward(self, x):
        return self.net(x)


@torch.no_grad()
def quality(G, gen):
    """Share of samples within 4 sigma of a mode, and how many modes get at least 2 % of the samples."""
    samples = G(torch.randn(2000, Z, generator=gen))
    dist, which = torch.cdist(samples, centers()).min(dim=1)
    good = dist < 4 * SIGMA
    counts = torch.bincount(which[good], minlength=MODES)
    return good.float().mean().item(), int((counts >= 40).sum())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=3000)
    opt = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(opt.seed)
    data_gen = torch.Generator().manual_seed(opt.seed + 1)
    eval_gen = torch.Generator().manual_seed(opt.seed + 2)

    G, D = Generator(), Discriminator()
    opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.99))
    opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.99))
    bce = nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)

    for step in range(1, opt.steps + 1):
        real = real_batch(BATCH, data_gen)
        fake = G(torch.randn(BATCH, Z))

        # ---- discriminator: real -> 1, fake -> 0
        opt_d.zero_grad()
        loss_d = bce(D(real), ones) + bce(D(fake.detach()), zeros)
        loss_d.backward()
        opt_d.step()

        # ---- generator: make D say 1
        opt_g.zero_grad()
        loss_g = bce(D(fake), ones)
        loss_g.backward()
        opt_g.step()

        # both rates fall to a tenth over the training, so that the two players settle
        for o in (opt_g, opt_d):
            o.param_groups[0]["lr"] = 1e-3 * (1 - 0.9 * step / opt.steps)

        if step % 250 == 0:
            share, modes = quality(G, eval_gen)
            print(f"[{step:5d}/{opt.steps}] loss_d {loss_d.item():.3f} loss_g {loss_g.item():.3f} "
                  f"good samples {share:.2f} modes {modes}/{MODES}")

    share, modes = quality(G, eval_gen)
    print(f"final: {100 * share:.1f} % good samples, {modes} of {MODES} modes covered")


if __name__ == "__main__":
    main()
