# Siamese network: are two images the same digit?
import argparse
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
np.random.seed(args.seed)
random.seed(args.seed)
torch.set_num_threads(1)


class PairDataset(Dataset):
    """Every image with a partner: of the same class half of the time."""

    def __init__(self, x, y):
        self.x = torch.tensor(x, dtype=torch.float32)
        self.y = y
        self.by_class = [np.flatnonzero(y == c) for c in range(10)]

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        same = random.random() < 0.5
        c = self.y[i]
        if not same:
            c = random.choice([k for k in range(10) if k != c])
        j = random.choice(self.by_class[c])
        return self.x[i], self.x[j], torch.tensor(float(same))


class Embedder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 16))

    def forward(self, a, b):
        return self.layers(a), self.layers(b)


def distance(u, v):
    return torch.sqrt(((u - v) ** 2).sum(dim=1) + 1e-8)


def contrastive_loss(d, same, margin=1.0):
    return (same * d**2 + (1 - same) * torch.clamp(margin - d, min=0) ** 2).mean()


X, y = load_digits(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X / 16.0, y, test_size=0.3, random_state=args.seed, stratify=y)
train_loader = DataLoader(PairDataset(X_train, y_train), batch_size=64, shuffle=True)
val_pairs = PairDataset(X_val, y_val)
val_pairs = [val_pairs[i] for i in range(len(val_pairs))]
val_loader = DataLoader(TensorDataset(*(torch.stack(t) for t in zip(*val_pairs))), batch_size=128)

net = Embedder()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

for epoch in range(1, 25):
    net.train()
    loss_sum = 0.0
    for a, b, same in train_loader:
        optimizer.zero_grad()
        u, v = net(a, b)
        loss = contrastive_loss(distance(u, v), same)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(same)

    net.eval()
    correct, val_sum = 0, 0.0
    with torch.no_grad():
        for a, b, same in val_loader:
            d = distance(*net(a, b))
            val_sum += contrastive_loss(d, same).item() * len(same)
            correct += ((d < 0.5) == same.bool()).sum().item()
    if epoch % 3 == 0:
        n_val = len(val_pairs)
        print(f"epoch {epoch} loss {loss_sum / len(X_train):.4f} val {val_sum / n_val:.4f} acc {correct / n_val:.3f}")
