"""Soil-type classification from reflectance spectra with 🤗 Accelerate and gradient accumulation."""
import argparse
import random

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--num_train_epochs", type=int, default=20)
    parser.add_argument("--per_device_train_batch_size", type=int, default=16)
    parser.add_argument("--gradient_accumulation_steps", type=int, default=4)
    parser.add_argument("--learning_rate", type=float, default=1e-3)
    parser.add_argument("--num_warmup_steps", type=int, default=20)
    return parser.parse_args()


def get_linear_schedule(optimizer, num_warmup_steps, num_training_steps):
    def lr_lambda(step):
        if step < num_warmup_steps:
            return step / max(1, num_warmup_steps)
        return max(0.0, (num_training_steps - step) / max(1, num_training_steps - num_warmup_steps))

    return LambdaLR(optimizer, lr_lambda)


def make_spectra(seed, n=3072, bands=60, n_types=9):
    rng = np.random.default_rng(seed)
    wl = np.linspace(0, 1, bands)
    # absorption features per soil type, many of them shared
    depth = rng.uniform(0.0, 0.5, size=(n_types, 6)) * (rng.random((n_types, 6)) < 0.6)
    centre = rng.uniform(0.05, 0.95, size=6)
    y = rng.integers(0, n_types, n)
    x = np.empty((n, bands))
    for i in range(n):
        slope, level = rng.normal(0, 0.5), rng.normal(0, 0.3)
        s = level + slope * wl
        for k in range(6):
            s = s - depth[y[i], k] * rng.uniform(0.6, 1.4) * np.exp(-0.5 * ((wl - centre[k]) / 0.03) ** 2)
        x[i] = s + rng.normal(0, 0.05, bands)
    x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y)
    n_train = 2048
    mean, std = x[:n_train].mean(0), x[:n_train].std(0)
    x = (x - mean) / std
    return TensorDataset(x[:n_train], y[:n_train]), TensorDataset(x[n_train:], y[n_train:])


def main():
    args = parse_args()
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=args.gradient_accumulation_steps)
    set_seed(args.seed)
    random.seed(args.seed)

    train_ds, eval_ds = make_spectra(args.seed)
    train_dataloader = DataLoader(train_ds, shuffle=True, batch_size=args.per_device_train_batch_size)
    eval_dataloader = DataLoader(eval_ds, batch_size=128)

    model = nn.Sequential(
        nn.Linear(60, 96), nn.GELU(),
        nn.Linear(96, 96), nn.GELU(),
        nn.Linear(96, 9),
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.learning_rate, weight_decay=0.01)

    # one update for every `gradient_accumulation_steps` batches
    num_update_steps_per_epoch = len(train_dataloader) // args.gradient_accumulation_steps
    max_train_steps = args.num_train_epochs * num_update_steps_per_epoch
    lr_scheduler = get_linear_schedule(optimizer, args.num_warmup_steps, max_train_steps)

    model, optimizer, train_dataloader, eval_dataloader, lr_scheduler = accelerator.prepare(
        model, optimizer, train_dataloader, eval_dataloader, lr_scheduler
    )

    loss_fn = nn.CrossEntropyLoss()
    accelerator.print(f"  Num examples = {len(train_ds)}")
    accelerator.print(f"  Total optimization steps = {max_train_steps}")

    for epoch in range(args.num_train_epochs):
        model.train()
        total_loss = 0.0
        for inputs, targets in train_dataloader:
            with accelerator.accumulate(model):
                loss = loss_fn(model(inputs), targets)
                total_loss += loss.detach().float()
                accelerator.backward(loss)
                optimizer.step()
                lr_scheduler.step()
                optimizer.zero_grad()

        model.eval()
        correct = seen = 0
        for inputs, targets in eval_dataloader:
            with torch.no_grad():
                predictions = model(inputs).argmax(dim=-1)
            predictions, targets = accelerator.gather_for_metrics((predictions, targets))
            correct += (predictions == targets).sum().item()
            seen += targets.numel()
        accelerator.print(
            f"epoch {epoch}: train_loss {total_loss.item() / len(train_dataloader):.4f} "
            f"eval_accuracy {correct / seen:.4f}"
        )

    accelerator.end_training()


if __name__ == "__main__":
    main()
