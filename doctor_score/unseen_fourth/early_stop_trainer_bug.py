from __future__ import annotations

import argparse
import logging
import random
from dataclasses import dataclass, field

import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logger = logging.getLogger("trainer")


@dataclass
class TrainerConfig:
    max_epochs: int = 60
    patience: int = 6
    lr: float = 2e-3
    batch_size: int = 32
    weight_decay: float = 1e-3


@dataclass
class EarlyStopping:
    patience: int
    best: float = float("inf")
    bad_epochs: int = 0
    state: dict = field(default_factory=dict)

    def update(self, value: float, model: nn.Module) -> bool:
        """Remembers the best model; True when it is time to stop."""
        if value < self.best:
            self.best = value
            self.bad_epochs = 0
            self.state = model.state_dict()
        else:
            self.bad_epochs += 1
        return self.bad_epochs >= self.patience


class Trainer:
    def __init__(self, model: nn.Module, config: TrainerConfig):
        self.model = model
        self.config = config
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=config.lr, weight_decay=config.weight_decay)
        self.stopper = EarlyStopping(config.patience)

    def fit(self, train: TensorDataset, valid: TensorDataset) -> None:
        loader = DataLoader(train, batch_size=self.config.batch_size, shuffle=True)
        for epoch in range(1, self.config.max_epochs + 1):
            train_loss = self._train_epoch(loader)
            valid_loss, valid_acc = self.evaluate(valid)
            logger.info("epoch %2d train %.4f valid %.4f acc %.3f", epoch, train_loss, valid_loss, valid_acc)
            if self.stopper.update(valid_loss, self.model):
                logger.info("no improvement for %d epochs", self.config.patience)
                break
        self.model.load_state_dict(self.stopper.state)

    def _train_epoch(self, loader: DataLoader) -> float:
        self.model.train()
        total = 0.0
        for x, y in loader:
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(y)
        return total / len(loader.dataset)

    @torch.no_grad()
    def evaluate(self, dataset: TensorDataset) -> tuple[float, float]:
        self.model.eval()
        loss, hits = 0.0, 0
        for x, y in DataLoader(dataset, batch_size=256):
            logits = self.model(x)
            loss += self.criterion(logits, y).item() * len(y)
            hits += (logits.argmax(1) == y).sum().item()
        return loss / len(dataset), hits / len(dataset)


def build_datasets(seed: int) -> list[TensorDataset]:
    X, y = make_classification(
        4000, 30, n_informative=10, n_classes=4, n_clusters_per_class=2, class_sep=1.2, flip_y=0.05, random_state=seed
    )
    X_rest, X_test, y_rest, y_test = train_test_split(X, y, test_size=0.25, random_state=seed)
    X_train, X_valid, y_train, y_valid = train_test_split(X_rest, y_rest, test_size=0.3, random_state=seed)
    scaler = StandardScaler().fit(X_train)
    splits = [(X_train, y_train), (X_valid, y_valid), (X_test, y_test)]
    return [TensorDataset(torch.tensor(scaler.transform(a)).float(), torch.tensor(b)) for a, b in splits]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    train, valid, test = build_datasets(seed)
    model = nn.Sequential(
        nn.Linear(30, 128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 4)
    )
    trainer = Trainer(model, TrainerConfig())
    trainer.fit(train, valid)
    logger.info("best valid loss %.4f", trainer.stopper.best)
    logger.info("final valid loss %.4f acc %.3f", *trainer.evaluate(valid))
    logger.info("test loss %.4f acc %.3f", *trainer.evaluate(test))


if __name__ == "__main__":
    main()
