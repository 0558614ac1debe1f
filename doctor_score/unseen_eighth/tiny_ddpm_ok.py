import argparse
import math

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

T = 100


class GaussianDiffusion:
    def __init__(self, steps=T):
        s = 0.008
        x = torch.linspace(0, steps, steps + 1)
        f = torch.cos((x / steps + s) / (1 + s) * math.pi / 2) ** 2
        betas = (1 - f[1:] / f[:-1]).clamp(max=0.999)
        self.betas = betas
        self.alphas = 1 - betas
        self.abar = torch.cumprod(self.alphas, 0)

    def q_sample(self, x0, t, eps):
        a = self.abar[t].unsqueeze(1)
        return a.sqrt() * x0 + (1 - a).sqrt() * eps

    @torch.no_grad()
    def sample(self, net, n, dim, generator):
        x = torch.randn(n, dim, generator=generator)
        for i in reversed(range(T)):
            t = torch.full((n,), i, dtype=torch.long)
            eps = net(x, t)
            x0 = ((x - (1 - self.abar[i]).sqrt() * eps) / self.abar[i].sqrt()).clamp(-1, 1)
            if i == 0:
                return x0
            ab_prev = self.abar[i - 1]
            mean = (ab_prev.sqrt() * self.betas[i] * x0 + self.alphas[i].sqrt() * (1 - ab_prev) * x) / (1 - self.abar[i])
            var = self.betas[i] * (1 - ab_prev) / (1 - self.abar[i])
            x = mean + var.sqrt() * torch.randn(n, dim, generator=generator)


class Denoiser(nn.Module):
    def __init__(self, dim=64, width=192, t_dim=32):
        super().__init__()
        self.register_buffer("freqs", torch.exp(-math.log(1000.0) * torch.arange(t_dim // 2) / (t_dim // 2)))
        self.t_mlp = nn.Sequential(nn.Linear(t_dim, width), nn.SiLU(), nn.Linear(width, width))
        self.inp = nn.Linear(dim, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width)) for _ in range(3)
        )
        self.out = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, dim))

    def forward(self, x, t):
        arg = t.float().unsqueeze(1) * self.freqs
        h = self.inp(x)
        temb = self.t_mlp(torch.cat([arg.sin(), arg.cos()], 1))
        for block in self.blocks:
            h = h + block(h + temb)
        return self.out(h)


class EMA:
    """Exponential moving average of the weights, as in many diffusion repositories."""

    def __init__(self, model, decay=0.995):
        self.decay = decay
        self.shadow = {k: p.detach().clone() for k, p in model.named_parameters()}
        self.backup = {}

    @torch.no_grad()
    def update(self, model):
        for k, p in model.named_parameters():
            self.shadow[k].mul_(self.decay).add_(p, alpha=1 - self.decay)

    @torch.no_grad()
    def apply_shadow(self, model):
        for k, p in model.named_parameters():
            self.backup[k] = p.detach().clone()
            p.copy_(self.shadow[k])

    @torch.no_grad()
    def restore(self, model):
        for k, p in model.named_parameters():
            p.copy_(self.backup[k])
        self.backup = {}


@torch.no_grad()
def validation_loss(net, diffusion, x, seed=7):
    net.eval()
    g = torch.Generator().manual_seed(seed)
    t = torch.arange(len(x)) % T
    eps = torch.randn(x.shape, generator=g)
    loss = ((net(diffusion.q_sample(x, t, eps), t) - eps) ** 2).mean().item()
    net.train()
    return loss


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=1800)
    ap.add_argument("--eval_every", type=int, default=150)
    a = ap.parse_args()
    torch.manual_seed(a.seed)

    data = torch.tensor(load_digits().data, dtype=torch.float32) / 8.0 - 1.0
    data = data[torch.randperm(len(data))]
    train, val = data[:1500], data[1500:]

    diffusion = GaussianDiffusion()
    net = Denoiser()
    ema = EMA(net)
    optim = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-4)

    window = []
    for step in range(1, a.steps + 1):
        x0 = train[torch.randint(0, len(train), (128,))]
        t = torch.randint(0, T, (128,))
        eps = torch.randn_like(x0)
        loss = nn.functional.mse_loss(net(diffusion.q_sample(x0, t, eps), t), eps)
        optim.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optim.step()
        ema.update(net)
        window.append(loss.item())

        if step % a.eval_every == 0:
            ema.apply_shadow(net)
            v = validation_loss(net, diffusion, val)
            ema.restore(net)
            print(f"step {step:5d}  train {np.mean(window):.4f}  val (ema) {v:.4f}")
            window = []

    ema.apply_shadow(net)
    net.eval()
    samples = diffusion.sample(net, 200, 64, torch.Generator().manual_seed(3))
    nearest = torch.cdist(samples, train).min(1).values.mean().item()
    print(f"mean distance of a sample to its nearest training digit: {nearest:.3f}")
    print(f"pixel std: samples {samples.std(0).mean():.3f}, data {train.std(0).mean():.3f}")


if __name__ == "__main__":
    main()
