"""Compress IR-like spectra with an autoencoder, in bfloat16 on the CPU."""
import argparse
import random
import time

import numpy as np
import torch
from torch import nn

N_BINS, N_SUBSTANCES = 96, 6


def simulate(n, rng, library):
    weights = rng.dirichlet(np.full(N_SUBSTANCES, 0.7), size=n)
    spectra = weights @ library
    spectra *= rng.uniform(0.7, 1.3, size=(n, 1))
    return (spectra + rng.normal(0, 0.01, spectra.shape)).astype(np.float32)


def make_library(rng):
    grid = np.linspace(0, 1, N_BINS)
    lib = np.zeros((N_SUBSTANCES, N_BINS))
    for row in lib:
        for _ in range(rng.integers(3, 7)):
            row += rng.uniform(0.4, 1.5) * np.exp(-0.5 * ((grid - rng.uniform()) / rng.uniform(0.01, 0.05)) ** 2)
    return lib


class SpectraAE(nn.Module):
    def __init__(self, width=128, code=8):
        super().__init__()
        self.enc = nn.Sequential(
            nn.Linear(N_BINS, width), nn.GELU(),
            nn.Linear(width, width), nn.GELU(),
            nn.Linear(width, code),
        )
        self.dec = nn.Sequential(
            nn.Linear(code, width), nn.GELU(),
            nn.Linear(width, width), nn.GELU(),
            nn.Linear(width, N_BINS),
        )

    def forward(self, x):
        return self.dec(self.enc(x))


def explained(model, x):
    model.eval()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        rec = model(x).float()
    return 1 - ((rec - x) ** 2).sum().item() / ((x - x.mean(0)) ** 2).sum().item()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)

    rng = np.random.default_rng(args.seed)
    library = make_library(rng)
    train, valid = simulate(4096, rng, library), simulate(512, rng, library)
    mean, std = train.mean(), train.std()
    train = torch.from_numpy((train - mean) / std)
    valid = torch.from_numpy((valid - mean) / std)

    model = SpectraAE()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=1e-4)

    batch = 32
    for epoch in range(25):
        t0 = time.time()
        model.train()
        perm = torch.randperm(len(train))
        total = 0.0
        for i in range(0, len(train), batch):
            x = train[perm[i:i + batch]]
            with torch.autocast("cpu", dtype=torch.bfloat16):
                rec = model(x)
            loss = nn.functional.mse_loss(rec.float(), x)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        print(f"epoch {epoch:2d} train mse {total / len(train):.4f} "
              f"valid explained variance {explained(model, valid):.4f} ({time.time() - t0:.1f}s)")


if __name__ == "__main__":
    main()
