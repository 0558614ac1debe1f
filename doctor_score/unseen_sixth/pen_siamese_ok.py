import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


def make_writer(rng):
    """A writer's signature is a smooth curve made of a few harmonics."""
    return rng.normal(size=(4, 4)) / np.arange(1, 5)[:, None]


def sign(writer, rng, steps=32):
    coeff = writer + 0.07 * rng.normal(size=writer.shape)
    t = np.linspace(0, 2 * np.pi, steps) + 0.05 * rng.normal()
    k = np.arange(1, 5)[:, None]
    x = (coeff[:, 0:1] * np.sin(k * t) + coeff[:, 1:2] * np.cos(k * t)).sum(0)
    y = (coeff[:, 2:3] * np.sin(k * t) + coeff[:, 3:4] * np.cos(k * t)).sum(0)
    pressure = 0.5 + 0.1 * rng.normal(size=steps)
    return np.stack([x, y, pressure], axis=1).astype(np.float32)


class SignaturePairs(Dataset):
    """Half of the pairs are genuine (label 1), half are of two writers (label 0)."""

    def __init__(self, writers, n_pairs, rng):
        self.first, self.second, self.label = [], [], []
        for i in range(n_pairs):
            same = i % 2
            a, b = rng.choice(len(writers), 2, replace=False)
            if same:
                b = a
            self.first.append(sign(writers[a], rng))
            self.second.append(sign(writers[b], rng))
            self.label.append(float(same))

    def __len__(self):
        return len(self.label)

    def __getitem__(self, i):
        return self.first[i], self.second[i], np.float32(self.label[i])


class SignatureEncoder(nn.Module):
    def __init__(self, n_features=3, hidden=48, embed=16):
        super().__init__()
        self.gru = nn.GRU(n_features, hidden)
        self.proj = nn.Linear(hidden, embed)

    def forward(self, x):
        # nn.GRU wants (steps, batch, features)
        batch, steps, feats = x.shape
        x = x.permute(1, 0, 2)
        _, h = self.gru(x)
        return F.normalize(self.proj(h[-1]), dim=1)


class ContrastiveLoss(nn.Module):
    def __init__(self, margin=1.0):
        super().__init__()
        self.margin = margin

    def forward(self, dist, label):
        pos = label * dist.pow(2)
        neg = (1 - label) * F.relu(self.margin - dist).pow(2)
        return (pos + neg).mean()


def run_epoch(net, loader, criterion, optimizer=None):
    net.train(optimizer is not None)
    total = hits = n = 0
    with torch.set_grad_enabled(optimizer is not None):
        for a, b, label in loader:
            dist = F.pairwise_distance(net(a), net(b))
            loss = criterion(dist, label)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total += loss.item() * len(label)
            hits += ((dist < 0.5) == (label > 0.5)).sum().item()
            n += len(label)
    return total / n, hits / n


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    rng = np.random.default_rng(args.seed)
    train_writers = [make_writer(rng) for _ in range(60)]
    new_writers = [make_writer(rng) for _ in range(25)]
    train_loader = DataLoader(SignaturePairs(train_writers, 1920, rng), batch_size=48, shuffle=True)
    val_loader = DataLoader(SignaturePairs(new_writers, 480, rng), batch_size=48)

    net = SignatureEncoder()
    criterion = ContrastiveLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for epoch in range(10):
        tr_loss, tr_acc = run_epoch(net, train_loader, criterion, optimizer)
        va_loss, va_acc = run_epoch(net, val_loader, criterion)
        print(f"Epoch {epoch:02d}: train {tr_loss:.4f} ({tr_acc:.1%})  "
              f"unseen writers {va_loss:.4f} ({va_acc:.1%})")


if __name__ == "__main__":
    main()
