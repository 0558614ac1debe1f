#!/usr/bin/env python
"""Heating and cooling load of buildings from eight design parameters (simulated)."""
import argparse
import logging
import os
import tempfile

import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import ExponentialLR
from torch.utils.data import DataLoader, TensorDataset

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("energy")


def simulate(n, rng):
    X = np.column_stack(
        [
            rng.uniform(0.6, 1.0, n),      # compactness
            rng.uniform(500, 810, n),      # surface area
            rng.uniform(245, 420, n),      # wall area
            rng.uniform(110, 220, n),      # roof area
            rng.choice([3.5, 7.0], n),     # height
            rng.integers(2, 6, n),         # orientation
            rng.uniform(0.0, 0.4, n),      # glazing area
            rng.integers(0, 6, n),         # glazing distribution
        ]
    )
    heat = 18 + 30 * (X[:, 0] - 0.8) + 3 * (X[:, 4] - 5) + 25 * X[:, 6] + 0.03 * (X[:, 2] - 330) * (X[:, 4] - 5)
    cool = 24 + 12 * np.sin(6 * X[:, 0]) + 2 * (X[:, 4] - 5) + 40 * X[:, 6] ** 2 - 0.04 * (X[:, 3] - 165)
    Y = np.column_stack([heat, cool]) + rng.normal(0, 0.5, (n, 2))
    return X.astype(np.float32), Y.astype(np.float32)


def evaluate(model, loader, loss_fn):
    model.eval()
    total, n = 0.0, 0
    with torch.no_grad():
        for x, y in loader:
            total += loss_fn(model(x), y).item() * len(x)
            n += len(x)
    return total / n


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--patience", type=int, default=8)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)

    X, Y = simulate(2000, rng)
    parts = {"train": slice(0, 1400), "val": slice(1400, 1700), "test": slice(1700, 2000)}
    x_mean, x_std = X[parts["train"]].mean(0), X[parts["train"]].std(0)
    y_mean, y_std = Y[parts["train"]].mean(0), Y[parts["train"]].std(0)
    X, Y = (X - x_mean) / x_std, (Y - y_mean) / y_std
    loaders = {
        name: DataLoader(
            TensorDataset(torch.from_numpy(X[part]), torch.from_numpy(Y[part])), batch_size=64, shuffle=name == "train"
        )
        for name, part in parts.items()
    }

    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    loss_fn = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    scheduler = ExponentialLR(optimizer, gamma=0.95)

    with tempfile.TemporaryDirectory() as folder:
        best_path = os.path.join(folder, "best.pt")
        best, waited = float("inf"), 0
        for epoch in range(args.epochs):
            model.train()
            running, n = 0.0, 0
            for x, y in loaders["train"]:
                optimizer.zero_grad()
                loss = loss_fn(model(x), y)
                loss.backward()
                optimizer.step()
                running += loss.item() * len(x)
                n += len(x)
            scheduler.step()
            val = evaluate(model, loaders["val"], loss_fn)
            log.info("epoch %02d train %.4f val %.4f", epoch, running / n, val)
            if val < best - 1e-4:
                best, waited = val, 0
                torch.save({"model": model.state_dict(), "epoch": epoch, "val": val}, best_path)
            else:
                waited += 1
                if waited >= args.patience:
                    log.info("no progress for %d epochs, stopping", waited)
                    break
        checkpoint = torch.load(best_path)
        model.load_state_dict(checkpoint["model"])
    log.info("best epoch %d, test loss %.4f", checkpoint["epoch"], evaluate(model, loaders["test"], loss_fn))


if __name__ == "__main__":
    main()
