"""Pretrain on the digits 0-4, then fine-tune the same backbone on 5-9."""
import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


class Classifier(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.3),
        )
        self.head = nn.Linear(128, n_classes)

    def forward(self, x):
        return self.head(self.backbone(x))


def make_loaders(x, y, digits):
    rows = np.random.permutation(np.where(np.isin(y, digits))[0])
    cut = int(0.8 * len(rows))
    tr, va = rows[:cut], rows[cut:]
    mean, std = x[tr].mean(), x[tr].std()

    def ds(r):
        return TensorDataset(torch.tensor((x[r] - mean) / std).float().unsqueeze(1),
                             torch.tensor(y[r] - min(digits)).long())

    return DataLoader(ds(tr), batch_size=32, shuffle=True), DataLoader(ds(va), batch_size=128)


@torch.no_grad()
def accuracy(model, loader):
    model.eval()
    good = total = 0
    for x, y in loader:
        good += (model(x).argmax(1) == y).sum().item()
        total += len(y)
    return good / total


def run_batch(model, optimizer, x, y):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


def main(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    data = load_digits()
    source_train, source_val = make_loaders(data.images, data.target, [0, 1, 2, 3, 4])
    target_train, target_val = make_loaders(data.images, data.target, [5, 6, 7, 8, 9])

    model = Classifier(5)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(4):
        model.train()
        losses = [run_batch(model, optimizer, x, y) for x, y in source_train]
        print(f"pretrain {epoch}: loss {np.mean(losses):.3f} acc {accuracy(model, source_val):.3f}")

    # new task: new head, smaller learning rate for the backbone
    model.head = nn.Linear(128, 5)
    optimizer = torch.optim.Adam([
        {"params": model.backbone.parameters(), "lr": 5e-4},
        {"params": model.head.parameters(), "lr": 2e-3},
    ])
    print(f"before fine-tuning: acc {accuracy(model, target_val):.3f}")
    for epoch in range(6):
        model.train()
        losses = [run_batch(model, optimizer, x, y) for x, y in target_train]
        print(f"finetune {epoch}: loss {np.mean(losses):.3f} acc {accuracy(model, target_val):.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args().seed)
