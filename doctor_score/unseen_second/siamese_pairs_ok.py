import argparse
import itertools
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
opt = p.parse_args()
random.seed(opt.seed)
np.random.seed(opt.seed)
torch.manual_seed(opt.seed)
torch.set_num_threads(1)

MARGIN = 1.0


class PairDataset(Dataset):
    """Pairs of images; label 1 for two images of one digit, 0 for two images of different digits."""

    def __init__(self, images, digits, n_pairs, rng):
        self.images = images
        by_digit = {d: np.flatnonzero(digits == d).tolist() for d in range(10)}
        same, different = set(), set()
        while len(same) < n_pairs // 2:
            d = rng.randrange(10)
            i, j = sorted(rng.sample(by_digit[d], 2))
            same.add((i, j, 1.0))
        while len(different) < n_pairs // 2:
            d, e = rng.sample(range(10), 2)
            i, j = sorted((rng.choice(by_digit[d]), rng.choice(by_digit[e])))
            different.add((i, j, 0.0))
        self.pairs = list(itertools.chain(sorted(same), sorted(different)))

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, k):
        i, j, label = self.pairs[k]
        return self.images[i], self.images[j], torch.tensor(label)


class SiameseNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.fc = nn.Sequential(nn.Flatten(), nn.Linear(24 * 16, 64), nn.ReLU(), nn.Linear(64, 8))

    def forward_once(self, x):
        return self.fc(self.cnn(x))

    def forward(self, a, b):
        return self.forward_once(a), self.forward_once(b)


def contrastive_loss(a, b, label):
    dist = F.pairwise_distance(a, b)
    return torch.mean(label * dist.pow(2) + (1 - label) * F.relu(MARGIN - dist).pow(2))


digits = load_digits()
images = torch.tensor(digits.images / 16.0, dtype=torch.float32).unsqueeze(1)
order = np.random.permutation(len(images))
tr, va = order[:1400], order[1400:]
rng = random.Random(opt.seed)
train_ds = PairDataset(images[tr], digits.target[tr], 3000, rng)
val_ds = PairDataset(images[va], digits.target[va], 600, rng)
train_dl = DataLoader(train_ds, batch_size=50, shuffle=True)
val_dl = DataLoader(val_ds, batch_size=100)

net = SiameseNetwork()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

for epoch in range(6):
    net.train()
    running = 0.0
    for a, b, label in train_dl:
        optimizer.zero_grad()
        loss = contrastive_loss(*net(a, b), label)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(label)

    net.eval()
    val_loss, hits = 0.0, 0
    with torch.no_grad():
        for a, b, label in val_dl:
            ea, eb = net(a, b)
            val_loss += contrastive_loss(ea, eb, label).item() * len(label)
            near = F.pairwise_distance(ea, eb) < MARGIN / 2
            hits += (near == label.bool()).sum().item()
    print(
        "Epoch {} train loss {:.4f} val loss {:.4f} val acc {:.3f}".format(
            epoch, running / len(train_ds), val_loss / len(val_ds), hits / len(val_ds)
        )
    )
