"""Human activity recognition from a wrist accelerometer, 1D CNN.

Each volunteer wears the sensor and does each of the six activities for a few minutes. The recordings
are cut into windows of 64 samples (three axes). Volunteers of the test set are not in the training set.
"""
import argparse

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

ACTIVITIES = ["sitting", "standing", "walking", "stairs", "running", "cycling"]
#              Hz-like rate, strength, mean direction of gravity, share of the second harmonic
PROFILE = {
    "sitting": (0.0, 0.00, (0.2, 0.9, 0.3), 0.0),
    "standing": (0.0, 0.00, (0.1, 0.3, 0.9), 0.0),
    "walking": (0.09, 0.50, (0.1, 0.3, 0.9), 0.4),
    "stairs": (0.06, 0.60, (0.3, 0.3, 0.8), 0.9),
    "running": (0.15, 1.20, (0.1, 0.4, 0.9), 0.3),
    "cycling": (0.12, 0.45, (0.2, 0.8, 0.5), 0.1),
}


def record(activity, volunteer_rng, n_windows, length=64):
    rate, strength, gravity, second = PROFILE[activity]
    rate = rate * volunteer_rng.normal(1.0, 0.08)
    strength = strength * volunteer_rng.normal(1.0, 0.15)
    gravity = np.array(gravity) + volunteer_rng.normal(0, 0.12, 3)
    axis = volunteer_rng.normal(0, 1, 3)
    axis /= np.linalg.norm(axis)
    t = np.arange(n_windows * length)
    wave = np.sin(2 * np.pi * rate * t) + second * np.sin(4 * np.pi * rate * t + 0.5)
    signal = gravity[:, None] + strength * axis[:, None] * wave[None]
    signal = signal + volunteer_rng.normal(0, 0.18, signal.shape)
    return signal.reshape(3, n_windows, length).transpose(1, 0, 2).astype(np.float32)


class ActivityDataset(Dataset):
    def __init__(self, volunteers, seed, windows_each=18):
        self.windows, self.labels = [], []
        for k, activity in enumerate(ACTIVITIES):
            for v in volunteers:
                rng = np.random.default_rng([seed, v, k])
                self.windows.append(record(activity, rng, windows_each))
                self.labels += [k] * windows_each
        self.windows = torch.from_numpy(np.concatenate(self.windows))
        self.labels = torch.tensor(self.labels)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.windows[i], self.labels[i]


class ActivityCNN(nn.Module):
    def __init__(self, n_classes=len(ACTIVITIES)):
        super().__init__()
        self.conv1 = nn.Conv1d(3, 24, 7, padding=3)
        self.conv2 = nn.Conv1d(24, 32, 5, padding=2)
        self.norm1, self.norm2 = nn.GroupNorm(4, 24), nn.GroupNorm(4, 32)
        self.fc = nn.Linear(64, n_classes)

    def forward(self, x):
        x = F.max_pool1d(F.relu(self.norm1(self.conv1(x))), 2)
        x = F.relu(self.norm2(self.conv2(x)))
        x = torch.cat([x.mean(dim=2), x.amax(dim=2)], dim=1)
        return self.fc(x)


def train_one_epoch(model, loader, optimizer):
    model.train()
    total, count = 0.0, 0
    for x, y in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
        count += len(y)
    return total / count


@torch.no_grad()
def confusion(model, loader):
    model.eval()
    table = torch.zeros(len(ACTIVITIES), len(ACTIVITIES), dtype=torch.long)
    for x, y in loader:
        for t, p in zip(y.tolist(), model(x).argmax(1).tolist()):
            table[t, p] += 1
    return table


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=15)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    np.random.seed(args.seed)

    train_set = ActivityDataset(range(0, 20), args.seed)
    val_set = ActivityDataset(range(20, 25), args.seed)
    test_set = ActivityDataset(range(25, 32), args.seed)
    train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=128)
    test_loader = DataLoader(test_set, batch_size=128)

    model = ActivityCNN()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(1, args.epochs + 1):
        loss = train_one_epoch(model, train_loader, optimizer)
        table = confusion(model, val_loader)
        print(f"epoch {epoch:2d}  loss {loss:.4f}  val accuracy {table.trace().item() / table.sum().item():.3f}")

    table = confusion(model, test_loader)
    for name, row in zip(ACTIVITIES, table):
        print(f"{name:>9s} " + " ".join(f"{n:4d}" for n in row.tolist()))
    print(f"final: test accuracy {table.trace().item() / table.sum().item():.4f}")


if __name__ == "__main__":
    main()
