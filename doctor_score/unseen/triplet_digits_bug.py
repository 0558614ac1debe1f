"""Metric learning on digits with a triplet loss; scored by nearest-neighbour retrieval."""
import argparse
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


class TripletDigits(Dataset):
    """For every image: a positive of the same class and a negative of another one."""

    def __init__(self, images, labels):
        self.images = torch.as_tensor(images, dtype=torch.float32)
        self.labels = np.asarray(labels)
        self.by_class = {c: np.flatnonzero(self.labels == c) for c in np.unique(self.labels)}

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        c = self.labels[i]
        positive = i
        while positive == i:
            positive = int(np.random.choice(self.by_class[c]))
        other = random.choice([k for k in self.by_class if k != c])
        negative = int(np.random.choice(self.by_class[other]))
        return self.images[i], self.images[positive], self.images[negative]


class EmbeddingNet(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Dropout(0.3),
            nn.Linear(128, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.3),
            nn.Linear(64, dim),
        )

    def forward(self, x):
        return nn.functional.normalize(self.layers(x), dim=1)


class TripletNet(nn.Module):
    def __init__(self, embedding_net):
        super().__init__()
        self.embedding_net = embedding_net

    def forward(self, a, p, n):
        out = self.embedding_net(torch.cat([a, p, n]))
        return out.chunk(3)


def train_epoch(net, loader, criterion, optimizer):
    net.train()
    total, seen = 0.0, 0
    for a, p, n in loader:
        optimizer.zero_grad()
        loss = criterion(*net(a, p, n))
        loss.backward()
        optimizer.step()
        total += loss.item() * len(a)
        seen += len(a)
    return total / seen


@torch.no_grad()
def retrieval_accuracy(net, gallery, gallery_y, query, query_y):
    g = net.embedding_net(gallery)
    q = net.embedding_net(query)
    nearest = torch.cdist(q, g).argmin(dim=1)
    return (gallery_y[nearest] == query_y).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=10)
    args = parser.parse_args()
    torch.set_num_threads(1)
    set_seed(args.seed)

    X, y = load_digits(return_X_y=True)
    X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.3, stratify=y, random_state=args.seed)
    mean, std = X_train.mean(), X_train.std()
    X_train, X_val = (X_train - mean) / std, (X_val - mean) / std

    loader = DataLoader(TripletDigits(X_train, y_train), batch_size=64, shuffle=True)
    to_float = lambda a: torch.as_tensor(a, dtype=torch.float32)
    gallery, gallery_y = to_float(X_train), torch.as_tensor(y_train)
    query, query_y = to_float(X_val), torch.as_tensor(y_val)

    net = TripletNet(EmbeddingNet())
    criterion = nn.TripletMarginLoss(margin=0.5)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for epoch in range(args.epochs):
        loss = train_epoch(net, loader, criterion, optimizer)
        acc = retrieval_accuracy(net, gallery, gallery_y, query, query_y)
        print("Epoch {:2d}: triplet loss {:.4f}, recall@1 {:.4f}".format(epoch + 1, loss, acc))


if __name__ == "__main__":
    main()
