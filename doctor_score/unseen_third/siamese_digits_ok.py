"""Siamese network: are these two digits the same?"""
import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset


class PairDataset(Dataset):
    """Half of the pairs show the same digit. The pairs are drawn once."""

    def __init__(self, images, labels, n_pairs, rng):
        self.images = torch.tensor(images, dtype=torch.float32).unsqueeze(1)
        by_label = {c: np.where(labels == c)[0] for c in range(10)}
        self.pairs = []
        for k in range(n_pairs):
            c = rng.randrange(10)
            if k % 2:
                i, j = rng.sample(list(by_label[c]), 2)
            else:
                other = rng.choice([d for d in range(10) if d != c])
                i, j = rng.choice(by_label[c]), rng.choice(by_label[other])
            self.pairs.append((int(i), int(j), float(k % 2)))

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, k):
        i, j, same = self.pairs[k]
        return self.images[i], self.images[j], torch.tensor(same)


class Embedder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.fc = nn.Linear(32 * 4, 16)

    def forward(self, x):
        x = F.max_pool2d(F.leaky_relu(self.conv1(x), 0.1), 2)
        x = F.max_pool2d(F.leaky_relu(self.conv2(x), 0.1), 2)
        return self.fc(x.flatten(1))


def contrastive_loss(a, b, same, margin=1.5):
    d = F.pairwise_distance(a, b)
    return (same * d.pow(2) + (1 - same) * F.relu(margin - d).pow(2)).mean(), d


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)
torch.set_num_threads(1)

digits = load_digits()
order = np.random.permutation(len(digits.target))
train_idx, val_idx = order[:1400], order[1400:]
mean, std = digits.images[train_idx].mean(), digits.images[train_idx].std()
rng = random.Random(seed)
train_set = PairDataset((digits.images[train_idx] - mean) / std, digits.target[train_idx], 2400, rng)
val_set = PairDataset((digits.images[val_idx] - mean) / std, digits.target[val_idx], 400, rng)
train_loader = DataLoader(train_set, batch_size=48, shuffle=True)
val_loader = DataLoader(val_set, batch_size=100)

net = Embedder()
optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)

for epoch in range(6):
    net.train()
    train_loss = 0.0
    for a, b, same in train_loader:
        loss, _ = contrastive_loss(net(a), net(b), same)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), max_norm=5.0)
        optimizer.step()
        train_loss += loss.item() * len(same)

    net.eval()
    val_loss, right = 0.0, 0
    with torch.no_grad():
        for a, b, same in val_loader:
            loss, d = contrastive_loss(net(a), net(b), same)
            val_loss += loss.item() * len(same)
            right += ((d < 0.75).float() == same).sum().item()
    print(f"epoch {epoch}: train {train_loss / len(train_set):.4f} "
          f"val {val_loss / len(val_set):.4f} same/different {right / len(val_set):.3f}")
