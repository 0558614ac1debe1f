import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def get_args():
    parser = argparse.ArgumentParser(description="train on the digits 0-5, then adapt to the digits 6-9")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pretrain-epochs", type=int, default=10)
    parser.add_argument("--finetune-epochs", type=int, default=15)
    return parser.parse_args()


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.act = nn.ReLU()

    def forward(self, x):
        x = self.pool(self.act(self.conv1(x)))
        x = self.act(self.conv2(x))
        return x.flatten(1)


class Classifier(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.backbone = Backbone()
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(32 * 4 * 4, num_classes)

    def forward(self, x):
        return self.head(self.drop(self.backbone(x)))


def get_loaders(classes, seed):
    digits = load_digits()
    keep = np.isin(digits.target, classes)
    x = torch.tensor(digits.images[keep] / 16.0, dtype=torch.float32).unsqueeze(1)
    y = torch.tensor(digits.target[keep] - min(classes))
    x_tr, x_va, y_tr, y_va = train_test_split(x, y, test_size=0.25, stratify=y, random_state=seed)
    train = DataLoader(TensorDataset(x_tr, y_tr), batch_size=32, shuffle=True)
    valid = DataLoader(TensorDataset(x_va, y_va), batch_size=128, shuffle=False)
    return train, valid


def train_one_epoch(model, loader, optimizer, criterion):
    model.train()
    total, count = 0.0, 0
    for x, y in loader:
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total, count = total + loss.item() * len(y), count + len(y)
    return total / count


@torch.no_grad()
def accuracy(model, loader):
    model.eval()
    hits = sum((model(x).argmax(1) == y).sum().item() for x, y in loader)
    return hits / len(loader.dataset)


def main():
    args = get_args()
    set_seed(args.seed)
    criterion = nn.CrossEntropyLoss()

    train, valid = get_loaders([0, 1, 2, 3, 4, 5], args.seed)
    model = Classifier(num_classes=6)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(args.pretrain_epochs):
        loss = train_one_epoch(model, train, optimizer, criterion)
        print(f"[pretrain] epoch {epoch} loss {loss:.4f} acc {accuracy(model, valid):.4f}")

    train, valid = get_loaders([6, 7, 8, 9], args.seed)
    for param in model.backbone.parameters():
        param.requires_grad = False
    optimizer = torch.optim.Adam(filter(lambda p: p.requires_grad, model.parameters()), lr=2e-3)
    model.head = nn.Linear(model.head.in_features, 4)
    for epoch in range(args.finetune_epochs):
        loss = train_one_epoch(model, train, optimizer, criterion)
        print(f"[finetune] epoch {epoch} loss {loss:.4f} acc {accuracy(model, valid):.4f}")


if __name__ == "__main__":
    main()
