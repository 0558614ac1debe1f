"""Transfer learning on wearable-sensor windows.

Stage 1: pretrain a 1-d CNN on ten everyday activities (plenty of data).
Stage 2: reuse it as frozen backbone for four rehab exercises (few labelled windows),
         train the head only.
"""
import argparse
import os
import random
import tempfile

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

T = 64


def windows(n, n_classes, rng, protos):
    """3-axis windows; class = (frequency, harmonic, axis coupling), phase and gain are random."""
    t = np.arange(T) / T
    y = rng.integers(0, n_classes, n)
    x = np.zeros((n, 3, T), dtype=np.float32)
    for i, c in enumerate(y):
        f, h, lag = protos[c]
        ph = rng.uniform(0, 2 * np.pi)
        gain = rng.uniform(0.6, 1.4)
        for ax in range(3):
            p = ph + ax * lag
            x[i, ax] = gain * (np.sin(2 * np.pi * f * t + p) + h * np.sin(4 * np.pi * f * t + 2 * p))
    x += rng.normal(0, 0.9, x.shape)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y)


def make_encoder():
    return nn.Sequential(
        nn.Conv1d(3, 24, 9, padding=4), nn.ReLU(), nn.MaxPool1d(2),
        nn.Conv1d(24, 32, 7, padding=3), nn.ReLU(), nn.MaxPool1d(2),
        nn.Conv1d(32, 48, 5, padding=2), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten(),
    )


class ActivityNet(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.encoder = make_encoder()
        self.classifier = nn.Linear(48, n_classes)

    def forward(self, x):
        return self.classifier(self.encoder(x))


class RehabNet(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.backbone = make_encoder()
        self.head = nn.Sequential(nn.Linear(48, 32), nn.ReLU(), nn.Linear(32, n_classes))

    def forward(self, x):
        return self.head(self.backbone(x))


def accuracy(model, loader):
    model.eval()
    hit = n = 0
    with torch.no_grad():
        for x, y in loader:
            hit += (model(x).argmax(1) == y).sum().item()
            n += len(y)
    return hit / n


def fit(model, optimizer, train_loader, val_loader, epochs, tag):
    loss_fn = nn.CrossEntropyLoss()
    for ep in range(epochs):
        model.train()
        run = 0.0
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
            run += loss.item()
        print(f"[{tag}] epoch {ep + 1}/{epochs} loss {run / len(train_loader):.3f} "
              f"val acc {accuracy(model, val_loader):.3f}")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)

    act_protos = [(f, h, lag) for f, h, lag in zip(
        rng.uniform(2, 9, 10), rng.uniform(0, 1.2, 10), rng.uniform(-1.5, 1.5, 10))]
    rehab_protos = [(4.0, 0.2, 0.9), (4.0, 0.9, 0.9), (4.0, 0.2, -0.9), (5.5, 0.2, 0.9)]

    xa, ya = windows(3000, 10, rng, act_protos)
    xr, yr = windows(1200, 4, rng, rehab_protos)

    # ---- stage 1
    source = ActivityNet(10)
    opt = torch.optim.Adam(source.parameters(), lr=2e-3)
    fit(source, opt,
        DataLoader(TensorDataset(xa[:2400], ya[:2400]), batch_size=64, shuffle=True),
        DataLoader(TensorDataset(xa[2400:], ya[2400:]), batch_size=200), 8, "pretrain")

    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "activity.pt")
        torch.save(source.state_dict(), path)

        # ---- stage 2
        model = RehabNet(4)
        state = torch.load(path)
        model.load_state_dict(state, strict=False)

    for p in model.backbone.parameters():
        p.requires_grad = False

    opt = torch.optim.Adam(model.head.parameters(), lr=3e-3)
    train_loader = DataLoader(TensorDataset(xr[:240], yr[:240]), batch_size=16, shuffle=True)
    val_loader = DataLoader(TensorDataset(xr[240:], yr[240:]), batch_size=200)
    fit(model, opt, train_loader, val_loader, 20, "rehab")


if __name__ == "__main__":
    main()
