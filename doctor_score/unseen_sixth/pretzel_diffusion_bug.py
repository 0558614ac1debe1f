"""DDPM on 2-d points that lie on a pretzel (trefoil-like) curve, with an EMA of the weights."""
import argparse
import copy
import math
import random

import numpy as np
import torch
import torch.nn as nn

T = 60


def pretzel(n, g):
    s = 2 * math.pi * torch.rand(n, generator=g)
    pts = torch.stack([torch.sin(s) + 2 * torch.sin(2 * s), torch.cos(s) - 2 * torch.cos(2 * s)], 1) / 1.6
    return pts + 0.03 * torch.randn(n, 2, generator=g)


class Schedule:
    def __init__(self):
        steps = torch.arange(T + 1) / T
        f = torch.cos((steps + 0.008) / 1.008 * math.pi / 2) ** 2
        self.betas = (1 - f[1:] / f[:-1]).clamp(max=0.999)
        self.alphas = 1 - self.betas
        self.abar = torch.cumprod(self.alphas, 0)

    def q_sample(self, x0, t, eps):
        a = self.abar[t].unsqueeze(1)
        return a.sqrt() * x0 + (1 - a).sqrt() * eps


class EpsNet(nn.Module):
    def __init__(self, width=128, freqs=8):
        super().__init__()
        self.register_buffer("freqs", math.pi * 2.0 ** torch.arange(freqs) / 4)
        self.inp = nn.Linear(2 + 2 * freqs, width)
        self.mid = nn.ModuleList([nn.Linear(width, width) for _ in range(3)])
        self.out = nn.Linear(width, 2)

    def forward(self, x, t):
        angle = (t.float() / T).unsqueeze(1) * self.freqs
        h = torch.nn.functional.silu(self.inp(torch.cat([x, angle.sin(), angle.cos()], 1)))
        for layer in self.mid:
            h = h + torch.nn.functional.silu(layer(h))
        return self.out(h)


@torch.no_grad()
def update_ema(ema, net, decay):
    for pe, p in zip(ema.parameters(), net.parameters()):
        pe.lerp_(p, 1 - decay)


@torch.no_grad()
def sample(net, sched, n, g):
    x = torch.randn(n, 2, generator=g)
    for i in reversed(range(T)):
        t = torch.full((n,), i)
        eps = net(x, t)
        mean = (x - sched.betas[i] / (1 - sched.abar[i]).sqrt() * eps) / sched.alphas[i].sqrt()
        x = mean if i == 0 else mean + sched.betas[i].sqrt() * torch.randn(n, 2, generator=g)
    return x


@torch.no_grad()
def sliced_distance(a, b, dirs=40):
    th = torch.arange(dirs) * math.pi / dirs
    d = torch.stack([th.cos(), th.sin()])
    return ((a @ d).sort(0).values - (b @ d).sort(0).values).abs().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)

    data_gen = torch.Generator().manual_seed(args.seed)
    train, held_out = pretzel(4096, data_gen), pretzel(1500, data_gen)
    val_t = torch.randint(0, T, (len(held_out),), generator=data_gen)
    val_eps = torch.randn(held_out.shape, generator=data_gen)

    sched = Schedule()
    net = EpsNet()
    ema = copy.deepcopy(net)
    for p in ema.parameters():
        p.requires_grad_(False)
    ema.eval()
    optimizer = torch.optim.Adam(net.parameters(), lr=4e-3)

    for epoch in range(1, 41):
        net.train()
        running = 0.0
        for idx in torch.randperm(len(train)).split(64):
            x0 = train[idx]
            t = torch.randint(0, T, (len(x0),))
            eps = torch.randn_like(x0)
            loss = ((net(sched.q_sample(x0, t, eps), t) - eps) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            update_ema(ema, net, decay=0.995)
            running += loss.item() * len(x0)
        # evaluation: denoising loss on held-out points, and distance of samples to them
        net.eval()
        with torch.no_grad():
            pred = net(sched.q_sample(held_out, val_t, val_eps), val_t)
            val_loss = ((pred - val_eps) ** 2).mean().item()
        line = f"epoch {epoch:2d}  train {running / len(train):.4f}  val {val_loss:.4f}"
        if epoch % 5 == 0:
            samples = sample(net, sched, 1500, torch.Generator().manual_seed(77))
            line += f"  sample distance {sliced_distance(samples, held_out):.4f}"
        print(line)


if __name__ == "__main__":
    main()
