"""Exercise 4: residual networks

(a) Write a layer `ScaleShift` that multiplies and shifts each feature.
(b) Write a residual block that uses it.
(c) Stack an adjustable number of blocks and separate three spirals.
"""

import argparse
import random

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import nn


def spirals(n_per_arm, arms=3, noise=0.15):
    points, labels = [], []
    for arm in range(arms):
        r = np.sqrt(np.random.uniform(0.02, 1, n_per_arm))
        angle = 2 * np.pi * arm / arms + 10.0 * r + np.random.normal(0, noise, n_per_arm)
        points.append(np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1))
        labels.append(np.full(n_per_arm, arm))
    X = np.concatenate(points).astype(np.float32) * 2
    return X, np.concatenate(labels)


# (a)
class ScaleShift(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(dim))
        self.shift = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        mean = x.mean(-1, keepdim=True)
        std = x.std(-1, keepdim=True)
        return self.scale * (x - mean) / (std + 1e-5) + self.shift


# (b)
class ResBlock(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm = ScaleShift(dim)
        self.lin1 = nn.Linear(dim, dim)
        self.lin2 = nn.Linear(dim, dim)

    def forward(self, x):
        return x + self.lin2(torch.relu(self.lin1(self.norm(x))))


# (c)
class ResNet(nn.Module):
    def __init__(self, n_in, dim, n_out, depth):
        super().__init__()
        self.stem = nn.Linear(n_in, dim)
        self.blocks = [ResBlock(dim) for _ in range(depth)]
        self.norm = ScaleShift(dim)
        self.out = nn.Linear(dim, n_out)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.out(self.norm(x))


def minibatches(X, y, size):
    order = torch.randperm(len(X))
    for start in range(0, len(X), size):
        idx = order[start : start + size]
        yield X[idx], y[idx]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--depth", type=int, default=3)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)

    X, y = spirals(700)
    split = train_test_split(X, y, test_size=0.3, random_state=args.seed)
    X_train, X_val, y_train, y_val = map(torch.from_numpy, split)

    net = ResNet(2, 16, 3, args.depth)
    print("parameters:", sum(p.numel() for p in net.parameters()))
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    ce = nn.CrossEntropyLoss()
    for epoch in range(1, 25):
        net.train()
        loss_sum = 0.0
        for xb, yb in minibatches(X_train, y_train, 50):
            opt.zero_grad()
            loss = ce(net(xb), yb)
            loss.backward()
            opt.step()
            loss_sum += loss.item() * len(xb)
        net.eval()
        with torch.no_grad():
            scores = net(X_val)
            val_loss = ce(scores, y_val).item()
            val_acc = (scores.argmax(1) == y_val).float().mean().item()
        if epoch % 2 == 0:
            print(f"epoch {epoch:3d}  train {loss_sum / len(X_train):.4f}  val {val_loss:.4f}  acc {val_acc:.3f}")
