"""Concrete strength (simulated), small micro-batches, Accelerate."""
import argparse

import numpy as np
import torch
import torch.nn as nn
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch.utils.data import DataLoader, TensorDataset

MICRO_BATCH = 8
ACCUMULATION = 8


def simulate(n, rng):
    cement = rng.uniform(100, 540, n)
    water = rng.uniform(120, 250, n)
    ash = rng.uniform(0, 200, n)
    plasticizer = rng.uniform(0, 32, n)
    age = rng.uniform(1, 120, n)
    strength = (
        30 * np.log1p(cement / water) + 6 * np.log(age) + 0.05 * ash - 0.0002 * ash**2
        + 0.4 * plasticizer * np.exp(-plasticizer / 20) + rng.normal(0, 2, n)
    )
    return np.stack([cement, water, ash, plasticizer, age], 1), strength


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    set_seed(args.seed)
    accelerator = Accelerator(cpu=True)

    x, y = simulate(2560, np.random.default_rng(args.seed))
    x_train, x_val, y_train, y_val = x[:2048], x[2048:], y[:2048], y[2048:]
    x_mean, x_std, y_mean, y_std = x_train.mean(0), x_train.std(0), y_train.mean(), y_train.std()

    def dataset(a, b):
        return TensorDataset(
            torch.tensor((a - x_mean) / x_std, dtype=torch.float32),
            torch.tensor((b - y_mean) / y_std, dtype=torch.float32).unsqueeze(1),
        )

    train_loader = DataLoader(dataset(x_train, y_train), batch_size=MICRO_BATCH, shuffle=True)
    val_loader = DataLoader(dataset(x_val, y_val), batch_size=128)

    model = nn.Sequential(nn.Linear(5, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
    model, optimizer, train_loader, val_loader = accelerator.prepare(model, optimizer, train_loader, val_loader)
    criterion = nn.MSELoss()

    for epoch in range(9):
        model.train()
        running = 0.0
        for step, (inputs, target) in enumerate(train_loader):
            loss = criterion(model(inputs), target)
            running += loss.item()
            accelerator.backward(loss / ACCUMULATION)
            if (step + 1) % ACCUMULATION == 0:
                optimizer.step()
                optimizer.zero_grad()

        model.eval()
        squared, count = 0.0, 0
        with torch.no_grad():
            for inputs, target in val_loader:
                output, target = accelerator.gather_for_metrics((model(inputs), target))
                squared += ((output - target) ** 2).sum().item()
                count += len(target)
        accelerator.print(f"epoch {epoch}: train {running / len(train_loader):.4f} val mse {squared / count:.4f}")


if __name__ == "__main__":
    main()
