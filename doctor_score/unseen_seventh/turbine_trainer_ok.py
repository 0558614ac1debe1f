"""Predict the power of a wind turbine from 10-minute sensor readings."""
from __future__ import annotations

import argparse
import copy
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class TrainConfig:
    seed: int = 0
    batch_size: int = 16
    lr: float = 5e-4
    max_epochs: int = 120
    patience: int = 30
    scheduler_patience: int = 15
    scheduler_factor: float = 0.5


def seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def make_data(seed: int) -> dict[str, TensorDataset]:
    """Readings: wind speed, direction error, pitch, temperature and 12 auxiliary sensors."""
    rng = np.random.default_rng(seed)
    n = 1300
    wind = rng.weibull(2.0, n) * 8
    yaw = rng.normal(0, 12, n)
    pitch = rng.normal(2, 1.5, n)
    temp = rng.normal(10, 8, n)
    aux = rng.normal(0, 1, (n, 12))
    power = np.clip((wind * np.cos(np.deg2rad(yaw)) - 3) / 9, 0, 1) ** 2
    power = power * (1 - 0.03 * (pitch - 2) ** 2) * (1 - 0.004 * (temp - 10))
    power = power + rng.normal(0, 0.16, n)

    x = np.column_stack([wind, yaw, pitch, temp, aux])
    cuts = {"train": slice(0, 450), "val": slice(450, 850), "test": slice(850, n)}
    tr = cuts["train"]
    x = (x - x[tr].mean(0)) / x[tr].std(0)
    y = (power - power[tr].mean()) / power[tr].std()
    return {
        k: TensorDataset(
            torch.tensor(x[s], dtype=torch.float32),
            torch.tensor(y[s], dtype=torch.float32).unsqueeze(1),
        )
        for k, s in cuts.items()
    }


class PowerNet(nn.Module):
    def __init__(self, n_features: int = 16, width: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_features, width), nn.ReLU(),
            nn.Linear(width, width), nn.ReLU(),
            nn.Linear(width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Trainer:
    def __init__(self, model: nn.Module, cfg: TrainConfig, checkpoint_dir: Path) -> None:
        self.model = model
        self.cfg = cfg
        self.checkpoint_dir = checkpoint_dir
        self.criterion = nn.MSELoss()
        self.optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)
        self.scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimizer, patience=cfg.scheduler_patience, factor=cfg.scheduler_factor
        )
        self.best_loss = float("inf")
        self.best_epoch = 0
        self.best_state: dict[str, Tensor] | None = None
        self.bad_epochs = 0

    def _train_epoch(self, loader: DataLoader) -> float:
        self.model.train()
        total = 0.0
        for x, y in loader:
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(x)
        return total / len(loader.dataset)

    @torch.no_grad()
    def evaluate(self, loader: DataLoader) -> float:
        self.model.eval()
        total = 0.0
        for x, y in loader:
            total += self.criterion(self.model(x), y).item() * len(x)
        return total / len(loader.dataset)

    def save_checkpoint(self, epoch: int) -> None:
        torch.save(
            {
                "epoch": epoch,
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "scheduler": self.scheduler.state_dict(),
                "best": (self.best_loss, self.best_epoch, self.best_state),
                "bad_epochs": self.bad_epochs,
            },
            self.checkpoint_dir / "last.pt",
        )

    def fit(self, train_loader: DataLoader, val_loader: DataLoader) -> None:
        for epoch in range(1, self.cfg.max_epochs + 1):
            train_loss = self._train_epoch(train_loader)
            val_loss = self.evaluate(val_loader)
            self.scheduler.step(val_loss)
            lr = self.optimizer.param_groups[0]["lr"]
            print(f"epoch {epoch:3d}  train {train_loss:.4f}  val {val_loss:.4f}  lr {lr:.1e}")

            if val_loss < self.best_loss:
                self.best_loss, self.best_epoch = val_loss, epoch
                self.best_state = copy.deepcopy(self.model.state_dict())
                self.bad_epochs = 0
            else:
                self.bad_epochs += 1

            self.save_checkpoint(epoch)
            if self.bad_epochs >= self.cfg.patience:
                print(f"early stop after epoch {epoch}")
                break

        self.model.load_state_dict(self.best_state)
        print(f"restored epoch {self.best_epoch} (val {self.best_loss:.4f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    cfg = TrainConfig(seed=parser.parse_args().seed)
    seed_all(cfg.seed)

    data = make_data(cfg.seed)
    train_loader = DataLoader(data["train"], batch_size=cfg.batch_size, shuffle=True)
    val_loader = DataLoader(data["val"], batch_size=256)
    test_loader = DataLoader(data["test"], batch_size=256)

    with tempfile.TemporaryDirectory() as tmp:
        trainer = Trainer(PowerNet(), cfg, Path(tmp))
        trainer.fit(train_loader, val_loader)
    print(f"final val mse {trainer.evaluate(val_loader):.4f}  test mse {trainer.evaluate(test_loader):.4f}")


if __name__ == "__main__":
    main()
