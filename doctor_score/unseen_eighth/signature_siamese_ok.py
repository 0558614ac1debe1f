import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class Config:
    n_train_people = 60
    n_test_people = 25
    per_person = 12
    points = 64
    batch_size = 64
    epochs = 14
    lr = 1e-3
    margin = 1.0


class SignatureBank:
    """Pen speed along the stroke; every person has a typical curve."""

    def __init__(self, n_people, rng):
        t = np.linspace(0, 1, Config.points)
        self.items = []
        for _ in range(n_people):
            k = rng.integers(1, 7, 4)
            a = rng.normal(0, 1, 4)
            ph = rng.uniform(0, 2 * np.pi, 4)
            own = []
            for _ in range(Config.per_person):
                warp = t + rng.normal(0, 0.012) + 0.02 * rng.normal() * np.sin(np.pi * t)
                curve = sum(ai * np.sin(2 * np.pi * ki * warp + pi) for ai, ki, pi in zip(a, k, ph))
                curve = curve / curve.std() + rng.normal(0, 0.35, len(t))
                own.append(curve.astype(np.float32))
            self.items.append(own)


class PairDataset(Dataset):
    def __init__(self, bank, n_pairs, rng):
        self.pairs = []
        people = len(bank.items)
        # genuine pairs first, then impostors
        for i in range(n_pairs):
            p = int(rng.integers(people))
            a, b = rng.choice(Config.per_person, 2, replace=False)
            if i < n_pairs // 2:
                self.pairs.append((bank.items[p][a], bank.items[p][b], 1.0))
            else:
                q = int((p + rng.integers(1, people)) % people)
                self.pairs.append((bank.items[p][a], bank.items[q][b], 0.0))

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, i):
        a, b, same = self.pairs[i]
        return torch.from_numpy(a)[None], torch.from_numpy(b)[None], torch.tensor(same)


class SiameseNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv1d(1, 24, 7, stride=2, padding=3), nn.BatchNorm1d(24), nn.ReLU(inplace=True),
            nn.Conv1d(24, 32, 5, stride=2, padding=2), nn.BatchNorm1d(32), nn.ReLU(inplace=True),
        )
        self.fc = nn.Sequential(
            nn.Linear(32 * 16, 96), nn.BatchNorm1d(96), nn.ReLU(inplace=True), nn.Dropout(0.3),
            nn.Linear(96, 24),
        )

    def forward_once(self, x):
        out = self.cnn(x)
        return F.normalize(self.fc(out.flatten(1)), dim=1)

    def forward(self, x1, x2):
        return self.forward_once(x1), self.forward_once(x2)


class ContrastiveLoss(nn.Module):
    def __init__(self, margin):
        super().__init__()
        self.margin = margin

    def forward(self, e1, e2, same):
        d = F.pairwise_distance(e1, e2)
        return (same * d.pow(2) + (1 - same) * F.relu(self.margin - d).pow(2)).mean()


def verify(net, loader):
    net.eval()
    dist, same = [], []
    with torch.no_grad():
        for x1, x2, s in loader:
            e1, e2 = net(x1, x2)
            dist.append(F.pairwise_distance(e1, e2))
            same.append(s)
    dist, same = torch.cat(dist), torch.cat(same)
    order = dist.argsort()
    rank = torch.empty_like(dist)
    rank[order] = torch.arange(1, len(dist) + 1, dtype=dist.dtype)
    n1, n0 = same.sum(), (1 - same).sum()
    auc = 1 - (rank[same == 1].sum() - n1 * (n1 + 1) / 2) / (n1 * n0)
    acc = ((dist < Config.margin / 2).float() == same).float().mean()
    return auc.item(), acc.item()


def run(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    train_ds = PairDataset(SignatureBank(Config.n_train_people, rng), 3200, rng)
    test_ds = PairDataset(SignatureBank(Config.n_test_people, rng), 1000, rng)
    train_dl = DataLoader(train_ds, shuffle=True, batch_size=Config.batch_size)
    test_dl = DataLoader(test_ds, shuffle=False, batch_size=50)

    net = SiameseNetwork()
    criterion = ContrastiveLoss(Config.margin)
    optimizer = torch.optim.Adam(net.parameters(), lr=Config.lr)

    for epoch in range(Config.epochs):
        net.train()
        history = []
        for x1, x2, same in train_dl:
            optimizer.zero_grad()
            e1, e2 = net(x1, x2)
            loss = criterion(e1, e2, same)
            loss.backward()
            optimizer.step()
            history.append(loss.item())
        auc, acc = verify(net, test_dl)
        print(f"Epoch {epoch}: contrastive loss {np.mean(history):.4f}, new people: AUC {auc:.3f}, accuracy {acc:.3f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    run(ap.parse_args().seed)
