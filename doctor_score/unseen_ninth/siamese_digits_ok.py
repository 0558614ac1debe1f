import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(21)


class PairDataset(Dataset):
    """Pairs of digits: half of them show the same digit, half two different ones."""

    def __init__(self, images, labels):
        self.images = torch.tensor(images, dtype=torch.float32)
        self.labels = labels
        self.by_class = [np.flatnonzero(labels == c) for c in range(10)]

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        c = self.labels[i]
        same = torch.rand(1).item() < 0.5
        if not same:
            c = (c + torch.randint(1, 10, (1,)).item()) % 10
        candidates = self.by_class[c]
        j = candidates[torch.randint(len(candidates), (1,)).item()]
        return self.images[i], self.images[j], torch.tensor(float(same))


class FixedPairs(Dataset):
    def __init__(self, pairs):
        self.items = [pairs[i] for i in range(len(pairs))]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


class SiameseNet(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(32 * 16, 64), nn.ReLU(), nn.Linear(64, dim),
        )

    def forward(self, a, b):
        return F.normalize(self.encoder(a), dim=1), F.normalize(self.encoder(b), dim=1)


class ContrastiveLoss(nn.Module):
    def __init__(self, margin=1.0):
        super().__init__()
        self.margin = margin

    def forward(self, za, zb, same):
        d = F.pairwise_distance(za, zb)
        return (same * d.pow(2) + (1 - same) * F.relu(self.margin - d).pow(2)).mean()


digits = load_digits()
images = (digits.images[:, None] / 16.0 - 0.305) / 0.376
x_train, x_val, y_train, y_val = train_test_split(images, digits.target, test_size=0.3, random_state=1,
                                                  stratify=digits.target)

train_loader = DataLoader(PairDataset(x_train, y_train), batch_size=64, shuffle=True)
val_loader = DataLoader(FixedPairs(PairDataset(x_val, y_val)), batch_size=128)

net = SiameseNet()
criterion = ContrastiveLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

for epoch in range(20):
    net.train()
    total, seen = 0.0, 0
    for a, b, same in train_loader:
        za, zb = net(a, b)
        loss = criterion(za, zb, same)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(same)
        seen += len(same)

    net.eval()
    right, count = 0, 0
    with torch.no_grad():
        for a, b, same in val_loader:
            za, zb = net(a, b)
            right += ((F.pairwise_distance(za, zb) < 0.5).float() == same).sum().item()
            count += len(same)
    print(f"epoch {epoch + 1:2d}: loss {total / seen:.4f}, verification accuracy {right / count:.4f}")
