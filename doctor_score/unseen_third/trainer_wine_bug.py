import argparse
import os
import random
import tempfile
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.preprocessing import StandardScaler
from torch import nn, optim
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class TrainConfig:
    epochs: int = 15
    batch_size: int = 64
    lr: float = 0.05
    momentum: float = 0.9
    lr_step: int = 6
    lr_gamma: float = 0.3


class MLP(nn.Module):
    def __init__(self, d_in, d_hidden, n_classes):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(d_in, d_hidden), nn.BatchNorm1d(d_hidden), nn.ReLU(), nn.Dropout(0.1),
            nn.Linear(d_hidden, d_hidden), nn.BatchNorm1d(d_hidden), nn.ReLU(), nn.Dropout(0.1),
            nn.Linear(d_hidden, n_classes),
        )

    def forward(self, x):
        return self.layers(x)


class Trainer:
    def __init__(self, model, train_loader, val_loader, cfg, out_dir):
        self.model = model
        self.train_loader, self.val_loader = train_loader, val_loader
        self.cfg = cfg
        self.path = os.path.join(out_dir, "best.pt")
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = optim.SGD(model.parameters(), lr=cfg.lr, momentum=cfg.momentum)
        self.scheduler = StepLR(self.optimizer, step_size=cfg.lr_step, gamma=cfg.lr_gamma)
        self.best = float("inf")

    def train_epoch(self):
        self.model.train()
        total, count = 0.0, 0
        for x, y in self.train_loader:
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            self.scheduler.step()
            total += loss.item() * len(y)
            count += len(y)
        return total / count

    @torch.no_grad()
    def evaluate(self, loader):
        self.model.eval()
        total, hits, count = 0.0, 0, 0
        for x, y in loader:
            logits = self.model(x)
            total += self.criterion(logits, y).item() * len(y)
            hits += (logits.argmax(1) == y).sum().item()
            count += len(y)
        return total / count, hits / count

    def save(self, epoch):
        torch.save({"epoch": epoch, "model": self.model.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                    "scheduler": self.scheduler.state_dict()}, self.path)

    def fit(self):
        for epoch in range(self.cfg.epochs):
            train_loss = self.train_epoch()
            val_loss, val_acc = self.evaluate(self.val_loader)
            if val_loss < self.best:
                self.best = val_loss
                self.save(epoch)
            print(f"epoch {epoch:2d} | train {train_loss:.4f} | val {val_loss:.4f} | acc {val_acc:.3f}")
        self.model.load_state_dict(torch.load(self.path)["model"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)

    cfg = TrainConfig()
    X, y = make_classification(n_samples=3000, n_features=20, n_informative=12, n_classes=4,
                               n_clusters_per_class=2, class_sep=1.3, random_state=seed)
    scaler = StandardScaler().fit(X[:2000])
    X = torch.tensor(scaler.transform(X), dtype=torch.float32)
    y = torch.tensor(y)
    part = lambda a, b: TensorDataset(X[a:b], y[a:b])
    train_loader = DataLoader(part(0, 2000), batch_size=cfg.batch_size, shuffle=True, drop_last=True)
    val_loader = DataLoader(part(2000, 2500), batch_size=128)
    test_loader = DataLoader(part(2500, 3000), batch_size=128)

    with tempfile.TemporaryDirectory() as out_dir:
        trainer = Trainer(MLP(20, 64, 4), train_loader, val_loader, cfg, out_dir)
        trainer.fit()
        print("test loss %.4f acc %.3f" % trainer.evaluate(test_loader))


if __name__ == "__main__":
    main()
