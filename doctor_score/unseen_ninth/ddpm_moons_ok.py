import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import make_moons
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)


class NoiseScheduler:
    def __init__(self, num_timesteps=60, beta_start=1e-4, beta_end=0.15):
        self.num_timesteps = num_timesteps
        self.betas = torch.linspace(beta_start, beta_end, num_timesteps)
        self.alphas = 1.0 - self.betas
        self.alphas_cumprod = torch.cumprod(self.alphas, 0)

    def add_noise(self, x0, noise, t):
        a = self.alphas_cumprod[t].unsqueeze(1)
        return a.sqrt() * x0 + (1 - a).sqrt() * noise

    def step(self, eps, t, x, generator):
        a, ac, b = self.alphas[t], self.alphas_cumprod[t], self.betas[t]
        mean = (x - b / (1 - ac).sqrt() * eps) / a.sqrt()
        if t == 0:
            return mean
        return mean + b.sqrt() * torch.randn(x.shape, generator=generator)


class SinusoidalEmbedding(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.freqs = torch.exp(-math.log(1000.0) * torch.arange(size // 2) / (size // 2))

    def forward(self, t):
        arg = t.float().unsqueeze(1) * self.freqs
        return torch.cat([arg.sin(), arg.cos()], dim=1)


class MLP(nn.Module):
    def __init__(self, hidden=128, emb=32):
        super().__init__()
        self.time = SinusoidalEmbedding(emb)
        self.inp = nn.Linear(2 + emb, hidden)
        self.blocks = nn.ModuleList([nn.Linear(hidden, hidden) for _ in range(3)])
        self.out = nn.Linear(hidden, 2)

    def forward(self, x, t):
        h = F.gelu(self.inp(torch.cat([x, self.time(t)], dim=1)))
        for block in self.blocks:
            h = h + F.gelu(block(h))
        return self.out(h)


@torch.no_grad()
def sample(model, scheduler, n, seed=0):
    g = torch.Generator().manual_seed(seed)
    model.eval()
    x = torch.randn(n, 2, generator=g)
    for t in reversed(range(scheduler.num_timesteps)):
        x = scheduler.step(model(x, torch.full((n,), t)), t, x, g)
    return x


@torch.no_grad()
def val_loss(model, scheduler, x0, noise, t):
    model.eval()
    return F.mse_loss(model(scheduler.add_noise(x0, noise, t), t), noise).item()


def get_data(n, seed):
    x, _ = make_moons(n, noise=0.07, random_state=seed)
    x = torch.tensor(x, dtype=torch.float32)
    return (x - torch.tensor([0.5, 0.25])) / torch.tensor([0.87, 0.5])


def main():
    epochs, batch_size = 60, 128
    train_x, val_x = get_data(8000, 0), get_data(1000, 1)
    loader = DataLoader(TensorDataset(train_x), batch_size=batch_size, shuffle=True, drop_last=True)
    scheduler = NoiseScheduler()
    model = MLP()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    lr_scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=15, gamma=0.3)
    val_t = torch.randint(0, scheduler.num_timesteps, (len(val_x),))
    val_noise = torch.randn(val_x.shape)

    for epoch in range(1, epochs + 1):
        model.train()
        total = 0.0
        for (x0,) in loader:
            noise = torch.randn_like(x0)
            t = torch.randint(0, scheduler.num_timesteps, (len(x0),))
            loss = F.mse_loss(model(scheduler.add_noise(x0, noise, t), t), noise)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
        lr_scheduler.step()
        if epoch % 10 == 0:
            print(f"epoch {epoch}: loss {total / len(loader):.4f}, "
                  f"val loss {val_loss(model, scheduler, val_x, val_noise, val_t):.4f}")

    x = sample(model, scheduler, 2000)
    d = torch.cdist(x, val_x)
    print(f"distance of samples to data {d.min(1).values.mean():.4f}, "
          f"share of samples off the moons {(d.min(1).values > 0.2).float().mean():.3f}")


if __name__ == "__main__":
    main()
