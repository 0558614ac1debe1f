"""Variable-length sequences, time-first (T, B, F), packed for the LSTM. The class is the frequency band
of a noisy sine."""
import argparse
import math
import random
import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader


def sample(rng):
    label = rng.randrange(3)
    length = rng.randrange(12, 33)
    freq = (0.05, 0.13, 0.25)[label] + rng.uniform(-0.015, 0.015)
    phase = rng.uniform(0, 2 * math.pi)
    t = torch.arange(length)
    wave = torch.sin(2 * math.pi * freq * t + phase)
    return torch.stack([wave, torch.cos(2 * math.pi * freq * t + phase)], 1) + 0.7 * torch.randn(length, 2), label


def collate(batch):
    seqs, labels = zip(*batch)
    lengths = torch.tensor([len(s) for s in seqs])
    return pad_sequence(seqs), lengths, torch.tensor(labels)      # (T, B, F)


class Classifier(nn.Module):
    def __init__(self, features=2, hidden=32, classes=3):
        super().__init__()
        self.lstm = nn.LSTM(features, hidden)
        self.fc = nn.Linear(hidden, classes)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
        _, (h, _) = self.lstm(packed)
        return self.fc(h[-1])


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    rng = random.Random(a.seed)
    train = DataLoader([sample(rng) for _ in range(1600)], batch_size=32, shuffle=True, collate_fn=collate)
    valid = DataLoader([sample(rng) for _ in range(300)], batch_size=100, collate_fn=collate)
    model = Classifier()
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(6):
        model.train()
        tot = cnt = 0
        for x, lengths, y in train:
            opt.zero_grad()
            loss = loss_fn(model(x, lengths), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            tot, cnt = tot + loss.item() * len(y), cnt + len(y)
        model.eval()
        with torch.no_grad():
            ok = sum((model(x, l).argmax(1) == y).sum().item() for x, l, y in valid)
        print(f"epoch {epoch} loss {tot / cnt:.4f} valid acc {ok / 300:.4f}")
    print("final valid accuracy %.4f" % (ok / 300))


if __name__ == "__main__":
    main()
