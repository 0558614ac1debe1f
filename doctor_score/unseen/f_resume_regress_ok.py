"""Regression in two sittings: train, save a checkpoint, build everything anew, load it and go on.

An exponential moving average of the weights is kept and is what gets evaluated.
"""
import argparse
import copy
import os
import tempfile
from dataclasses import dataclass, field

import torch
from sklearn.datasets import make_friedman1
from torch import nn

EPOCHS, STOP_AFTER, BATCH = 10, 5, 50


@dataclass
class Data:
    seed: int
    train: tuple = field(init=False)
    valid: tuple = field(init=False)

    def __post_init__(self):
        x, y = make_friedman1(n_samples=2500, n_features=10, noise=0.5, random_state=self.seed)
        x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32).unsqueeze(1)
        fit = slice(0, 2000)
        x = (x - x[fit].mean(0)) / x[fit].std(0)
        y = (y - y[fit].mean()) / y[fit].std()
        self.train, self.valid = (x[fit], y[fit]), (x[2000:], y[2000:])


class Session:
    def __init__(self, data, seed):
        torch.manual_seed(seed)
        self.data = data
        self.model = nn.Sequential(nn.Linear(10, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=3e-3, weight_decay=1e-2)
        total = EPOCHS * len(data.train[0]) // BATCH
        warm = 20
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: min((step + 1) / warm, max(0.02, 1 - step / total))
        )
        self.order = torch.Generator().manual_seed(seed + 1)
        self.epoch = 0

    def save(self, path):
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "epoch": self.epoch,
        }
        torch.save(state, path + ".tmp")
        os.replace(path + ".tmp", path)

    def load(self, path):
        state = torch.load(path)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.order.set_state(state["order"])
        self.epoch = state["epoch"]

    def fit(self, until):
        x, y = self.data.train
        while self.epoch < until:
            self.model.train()
            total = 0.0
            for rows in torch.randperm(len(x), generator=self.order).split(BATCH):
                loss = nn.functional.mse_loss(self.model(x[rows]), y[rows])
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                self.scheduler.step()
                with torch.no_grad():
                    for mean, weight in zip(self.average.parameters(), self.model.parameters()):
                        mean.lerp_(weight, 0.05)
                total += loss.item() * len(rows)
            self.epoch += 1
            print(f"epoch {self.epoch:2d}: train mse {total / len(x):.4f}, valid mse {self.score():.4f}")

    @torch.no_grad()
    def score(self):
        self.average.eval()
        x, y = self.data.valid
        return nn.functional.mse_loss(self.average(x), y).item()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.set_num_threads(1)
    data = Data(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "last.pt")
        first = Session(data, seed)
        first.fit(STOP_AFTER)
        first.save(path)
        del first
        print("-- resuming from the checkpoint --")
        second = Session(data, seed)
        second.load(path)
        second.fit(EPOCHS)


if __name__ == "__main__":
    main()
