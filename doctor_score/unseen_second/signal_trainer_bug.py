from __future__ import annotations

import argparse
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    epochs: int = 10
    batch_size: int = 32
    lr: float = 1e-3
    weight_decay: float = 1e-4
    seed: int = 0


def make_signals(n: int, generator: torch.Generator) -> TensorDataset:
    """Noisy waves of four shapes, 64 steps each."""
    t = torch.linspace(0, 1, 64)
    kind = torch.randint(0, 4, (n,), generator=generator)
    freq = 2 + 3 * torch.rand(n, 1, generator=generator)
    phase = 6.28 * torch.rand(n, 1, generator=generator)
    angle = 6.28 * freq * t + phase
    waves = torch.stack(
        [
            torch.sin(angle) * 1.4,
            torch.sign(torch.sin(angle)),
            (torch.remainder(angle, 6.28) / 3.14 - 1) * 1.7,
            torch.sin(angle + 3 * torch.sin(angle)) * 1.4,
        ],
        dim=1,
    )
    x = waves[torch.arange(n), kind] + 0.8 * torch.randn(n, 64, generator=generator)
    return TensorDataset(x.unsqueeze(1), kind)


class WaveNet1d(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(1, 16, 7, padding=3, bias=False),
            nn.BatchNorm1d(16),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Conv1d(16, 32, 5, padding=2, bias=False),
            nn.BatchNorm1d(32),
            nn.ReLU(),
            nn.AdaptiveAvgPool1d(4),
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Dropout(0.3), nn.Linear(128, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(x))


class Trainer:
    def __init__(self, model: nn.Module, train_set: TensorDataset, val_set: TensorDataset, config: Config) -> None:
        self.model = model
        self.config = config
        self.train_loader = DataLoader(train_set, batch_size=config.batch_size, shuffle=True)
        self.val_loader = DataLoader(val_set, batch_size=200)
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=config.lr, weight_decay=config.weight_decay)
        self.history: list[dict[str, float]] = []

    def train_epoch(self) -> float:
        total, seen = 0.0, 0
        for x, y in self.train_loader:
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(y)
            seen += len(y)
        return total / seen

    @torch.no_grad()
    def validate(self) -> tuple[float, float]:
        self.model.eval()
        total, hits, seen = 0.0, 0, 0
        for x, y in self.val_loader:
            logits = self.model(x)
            total += self.criterion(logits, y).item() * len(y)
            hits += (logits.argmax(1) == y).sum().item()
            seen += len(y)
        return total / seen, hits / seen

    def fit(self) -> None:
        self.model.train()
        for epoch in range(self.config.epochs):
            train_loss = self.train_epoch()
            val_loss, val_acc = self.validate()
            self.history.append({"train": train_loss, "val": val_loss, "acc": val_acc})
            print(f"{epoch:>3} | {train_loss:.4f} | {val_loss:.4f} | {val_acc:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    config = Config(seed=parser.parse_args().seed)
    torch.set_num_threads(1)
    torch.manual_seed(config.seed)
    generator = torch.Generator().manual_seed(config.seed)
    train_set, val_set = make_signals(2000, generator), make_signals(600, generator)
    Trainer(WaveNet1d(), train_set, val_set, config).fit()


if __name__ == "__main__":
    main()
