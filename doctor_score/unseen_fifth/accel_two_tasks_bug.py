"""
Two tasks, one trunk, ported to Accelerate.

Our "plant": 20 sensor readings -> (a) which of 4 fault states it is in, (b) the remaining hours
until maintenance. The GPU of our lab is small, so we feed micro-batches of 8 and update once for
every 8 of them (the settings below were tuned for batches of 64).
"""
import argparse

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MICRO_BATCH = 8
ACCUMULATE = 8
LR = 0.05


def make_plant(n, seed):
    rng = np.random.default_rng(seed)
    prototypes = rng.normal(0, 1.0, (4, 20))
    wiring = rng.normal(0, 1, (20, 3)) / np.sqrt(20)
    state = rng.integers(0, 4, n)
    x = prototypes[state] * 0.8 + rng.normal(0, 1, (n, 20))
    h = np.tanh(x @ wiring * 1.5)
    hours = h[:, 0] * h[:, 1] + 0.7 * h[:, 2] + 0.25 * state + rng.normal(0, 0.1, n)
    return x.astype(np.float32), state, hours.astype(np.float32)


class TwoHeads(nn.Module):
    def __init__(self, n_in=20, width=64, n_states=4):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(n_in, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.state = nn.Linear(width, n_states)
        self.hours = nn.Linear(width, 1)

    def forward(self, x):
        z = self.trunk(x)
        return self.state(z), self.hours(z).squeeze(-1)


def compute_loss(model, batch):
    x, state, hours = batch
    logits, pred = model(x)
    return nn.functional.cross_entropy(logits, state) + nn.functional.mse_loss(pred, hours)


@torch.no_grad()
def evaluate(model, loader, accelerator):
    model.eval()
    correct, sq_err, total, hours_all = 0, 0.0, 0, []
    for x, state, hours in loader:
        logits, pred = model(x)
        logits, pred, state, hours = accelerator.gather_for_metrics((logits, pred, state, hours))
        correct += (logits.argmax(-1) == state).sum().item()
        sq_err += ((pred - hours) ** 2).sum().item()
        total += len(state)
        hours_all.append(hours)
    variance = torch.cat(hours_all).var(unbiased=False).item()
    return correct / total, 1 - sq_err / total / variance


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()
    torch.set_num_threads(1)
    set_seed(args.seed)

    x, state, hours = make_plant(3584, args.seed)
    n_train, n_val = 2560, 512
    mean, std = x[:n_train].mean(0), x[:n_train].std(0)
    h_mean, h_std = hours[:n_train].mean(), hours[:n_train].std()
    tensors = [torch.tensor((x - mean) / std), torch.tensor(state), torch.tensor((hours - h_mean) / h_std)]

    def part(a, b):
        return TensorDataset(*(t[a:b] for t in tensors))

    # 2560 samples are 320 micro-batches are 40 updates: nothing is left over at the end of an epoch
    train_loader = DataLoader(part(0, n_train), batch_size=MICRO_BATCH, shuffle=True, drop_last=True)
    val_loader = DataLoader(part(n_train, n_train + n_val), batch_size=128)
    test_loader = DataLoader(part(n_train + n_val, len(x)), batch_size=128)

    accelerator = Accelerator(cpu=True)
    model = TwoHeads()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9)
    model, optimizer, train_loader, val_loader, test_loader = accelerator.prepare(
        model, optimizer, train_loader, val_loader, test_loader)

    updates = 0
    for epoch in range(1, args.epochs + 1):
        model.train()
        running = 0.0
        for g in optimizer.param_groups:  # linear decay, set by hand once an epoch
            g["lr"] = LR * (1 - (epoch - 1) / args.epochs)
        for i, batch in enumerate(train_loader):
            loss = compute_loss(model, batch)
            running += loss.item()
            accelerator.backward(loss)
            if (i + 1) % ACCUMULATE == 0:
                optimizer.step()
                optimizer.zero_grad()
                updates += 1
        acc, r2 = evaluate(model, val_loader, accelerator)
        accelerator.print(f"epoch {epoch:2d}  updates {updates:4d}  loss {running / len(train_loader):.4f}  "
                          f"val accuracy {acc:.3f}  val R2 {r2:.3f}")

    acc, r2 = evaluate(model, test_loader, accelerator)
    accelerator.print(f"final: test accuracy {acc:.4f}, test R2 of the hours {r2:.4f}")


if __name__ == "__main__":
    main()
