"""Streaming curriculum: an endless-style source that moves from well separated to noisy
samples. Labels are drawn independently for every sample, so the stream is class-mixed."""
import argparse
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset


class Curriculum(IterableDataset):
    def __init__(self, n, centers, noise_from, noise_to, seed):
        self.n, self.centers, self.seed = n, centers, seed
        self.noise_from, self.noise_to = noise_from, noise_to

    def __iter__(self):
        g = torch.Generator().manual_seed(self.seed)
        k, d = self.centers.shape
        for i in range(self.n):
            label = torch.randint(k, (), generator=g)
            noise = self.noise_from + (self.noise_to - self.noise_from) * i / max(1, self.n - 1)
            yield self.centers[label] + noise * torch.randn(d, generator=g), label


def build_model(d, k):
    return nn.Sequential(nn.Linear(d, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, k))


def score(model, loader):
    model.eval()
    ok = n = 0
    with torch.inference_mode():
        for x, y in loader:
            ok += int((model(x).argmax(dim=1) == y).sum())
            n += len(y)
    model.train()
    return ok / n


if __name__ == "__main__":
    cli = argparse.ArgumentParser()
    cli.add_argument("--seed", type=int, default=0)
    opts = cli.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(opts.seed)

    centers = torch.randn(6, 12)
    stream = DataLoader(Curriculum(12000, centers, 0.3, 0.9, seed=opts.seed * 2 + 1), batch_size=40)
    holdout = DataLoader(Curriculum(1500, centers, 0.8, 0.8, seed=opts.seed * 2 + 2), batch_size=250)
    model = build_model(12, 6)
    optim = torch.optim.Adam(model.parameters(), lr=2e-3)
    ce = nn.CrossEntropyLoss()
    for step, (x, y) in enumerate(stream, 1):
        loss = ce(model(x), y)
        optim.zero_grad()
        loss.backward()
        optim.step()
        if step % 60 == 0:
            print(f"step {step:4d} loss {loss.item():.4f} holdout acc {score(model, holdout):.3f}")
    print(f"done, holdout accuracy {score(model, holdout):.4f}")
