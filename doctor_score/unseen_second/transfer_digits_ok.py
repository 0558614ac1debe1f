# Transfer learning: pretrain on digits 0-4, then adapt to the digits 5-9.
import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


class ConvNet(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU())
        self.block = nn.Sequential(nn.Conv2d(16, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.head = nn.Linear(24 * 4 * 4, n_classes)

    def forward(self, x):
        return self.head(self.block(self.stem(x)).flatten(1))


def loaders(images, labels, generator):
    order = torch.randperm(len(images), generator=generator)
    cut = int(0.8 * len(order))
    a, b = order[:cut], order[cut:]
    return (
        DataLoader(TensorDataset(images[a], labels[a]), batch_size=32, shuffle=True),
        DataLoader(TensorDataset(images[b], labels[b]), batch_size=100),
    )


def fit(model, optimizer, train_dl, val_dl, epochs, tag):
    for epoch in range(epochs):
        model.train()
        total = n = 0
        for x, y in train_dl:
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
            n += len(y)
        model.eval()
        correct = count = 0
        with torch.no_grad():
            for x, y in val_dl:
                correct += (model(x).argmax(1) == y).sum().item()
                count += len(y)
        print(f"[{tag}] epoch {epoch} train loss {total / n:.4f} val acc {correct / count:.4f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(args.seed)

    raw = load_digits()
    images = torch.tensor(raw.images, dtype=torch.float32).unsqueeze(1) / 16
    target = torch.tensor(raw.target)
    low = target < 5

    # --- pretraining
    model = ConvNet(5)
    train_dl, val_dl = loaders(images[low], target[low], generator)
    fit(model, torch.optim.Adam(model.parameters(), lr=1e-3), train_dl, val_dl, 6, "pretrain")

    # --- adaptation: the stem stays as it is, the block and a new head are trained
    for param in model.stem.parameters():
        param.requires_grad = False
    model.head = nn.Linear(model.head.in_features, 5)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    train_dl, val_dl = loaders(images[~low], target[~low] - 5, generator)
    fit(model, optimizer, train_dl, val_dl, 8, "adapt")
