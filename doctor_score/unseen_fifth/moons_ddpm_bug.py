"""Minimal DDPM on the two moons.

Ho et al. 2020, Algorithm 1 and 2, with an MLP in place of the U-Net. Samples are drawn
from an exponential moving average of the weights, as in the paper.
"""
import argparse
import copy
import math

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_moons


def parse():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--epochs", type=int, default=60)
    p.add_argument("--T", type=int, default=60)
    p.add_argument("--batch-size", type=int, default=128)
    return p.parse_args()


class Denoiser(nn.Module):
    def __init__(self, T, width=96, t_dim=32):
        super().__init__()
        freqs = torch.exp(-math.log(1000.0) * torch.arange(t_dim // 2) / (t_dim // 2))
        angles = torch.arange(T)[:, None] * freqs[None]
        self.register_buffer("t_table", torch.cat([angles.sin(), angles.cos()], dim=1))
        self.inp = nn.Linear(2, width)
        self.emb = nn.Linear(t_dim, width)
        self.body = nn.Sequential(nn.SiLU(), nn.Linear(width, width), nn.SiLU(),
                                  nn.Linear(width, width), nn.SiLU())
        self.out = nn.Linear(width, 2)

    def forward(self, x, t):
        return self.out(self.body(self.inp(x) + self.emb(self.t_table[t])))


class Diffusion:
    def __init__(self, T):
        self.T = T
        self.beta = torch.linspace(1e-3, 0.15, T)
        self.alpha = 1.0 - self.beta
        self.alpha_bar = torch.cumprod(self.alpha, dim=0)

    def add_noise(self, x0, t, eps):
        a = self.alpha_bar[t][:, None]
        return a.sqrt() * x0 + (1 - a).sqrt() * eps

    def loss(self, model, x0, generator=None):
        t = torch.randint(self.T, (len(x0),), generator=generator)
        eps = torch.randn(x0.shape, generator=generator)
        return ((model(self.add_noise(x0, t, eps), t) - eps) ** 2).mean()

    @torch.no_grad()
    def sample(self, model, n, generator):
        x = torch.randn(n, 2, generator=generator)
        for t in reversed(range(self.T)):
            eps = model(x, torch.full((n,), t))
            x = (x - self.beta[t] / (1 - self.alpha_bar[t]).sqrt() * eps) / self.alpha[t].sqrt()
            if t > 0:
                x = x + self.beta[t].sqrt() * torch.randn(n, 2, generator=generator)
        return x


@torch.no_grad()
def update_ema(ema, model, decay=0.99):
    for a, b in zip(ema.parameters(), model.parameters()):
        a.lerp_(b, 1 - decay)


def energy_distance(a, b):
    """Zero for equal distributions; of the order of their distance otherwise."""
    return (2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()).item()


def main():
    args = parse()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    np.random.seed(args.seed)

    points, _ = make_moons(5000, noise=0.05, random_state=args.seed)
    points = torch.tensor(points, dtype=torch.float32)
    train, held_out = points[:4000], points[4000:]
    mean, std = train.mean(0), train.std(0)
    train, held_out = (train - mean) / std, (held_out - mean) / std

    diffusion = Diffusion(args.T)
    model = Denoiser(args.T)
    ema = copy.deepcopy(model).requires_grad_(False)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)

    for epoch in range(args.epochs):
        total, count = 0.0, 0
        order = torch.randperm(len(train))
        for idx in order.split(args.batch_size):
            loss = diffusion.loss(model, train[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            update_ema(ema, model)
            total += loss.item() * len(idx)
            count += len(idx)
        if epoch % 5 == 4:
            with torch.no_grad():
                fixed = torch.Generator().manual_seed(7)
                val = diffusion.loss(ema, held_out, fixed).item()
            print(f"epoch {epoch + 1:3d}  train {total / count:.4f}  held out {val:.4f}")

    g = torch.Generator().manual_seed(args.seed + 1)
    samples = diffusion.sample(ema, 1000, g)
    nearest = torch.cdist(samples, held_out).min(1).values.mean().item()
    print(f"final: energy distance to held out points {energy_distance(samples, held_out):.4f}, "
          f"mean distance of a sample to the nearest of them {nearest:.4f}")


if __name__ == "__main__":
    main()
