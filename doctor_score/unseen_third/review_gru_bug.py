"""Sentiment of short generated reviews with a GRU."""
import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

GOOD = "great lovely superb fun moving clever warm bright".split()
BAD = "awful boring dull clumsy cold weak slow noisy".split()
FILL = "the a film plot actor scene music was and very with in its this of story end".split()


def make_review(rng):
    n = rng.randint(5, 40)
    words = [rng.choice(FILL) for _ in range(n)]
    label = rng.randint(0, 1)
    main, other = (GOOD, BAD) if label else (BAD, GOOD)
    spots = rng.sample(range(n), 4)
    for s in spots[:3]:
        words[s] = rng.choice(main)
    words[spots[3]] = rng.choice(other)
    return words, label


def build_vocab(reviews):
    vocab = {"<pad>": 0, "<unk>": 1}
    for words, _ in reviews:
        for w in words:
            vocab.setdefault(w, len(vocab))
    return vocab


class GRUClassifier(nn.Module):
    def __init__(self, vocab_size, dim=32, hidden=48):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, dim, padding_idx=0)
        self.gru = nn.GRU(dim, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 2)

    def forward(self, tokens, lengths):
        out, _ = self.gru(self.embedding(tokens))
        last = out[:, -1]
        return self.fc(last)


def collate(batch):
    tokens = pad_sequence([torch.tensor(t) for t, _ in batch], batch_first=True, padding_value=0)
    lengths = torch.tensor([len(t) for t, _ in batch])
    return tokens, lengths, torch.tensor([y for _, y in batch])


def evaluate(model, loader):
    model.eval()
    correct = count = 0
    loss = 0.0
    with torch.no_grad():
        for tokens, lengths, y in loader:
            logits = model(tokens, lengths)
            loss += F.cross_entropy(logits, y, reduction="sum").item()
            correct += (logits.argmax(-1) == y).sum().item()
            count += len(y)
    return loss / count, correct / count


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    rng = random.Random(seed)

    reviews = [make_review(rng) for _ in range(1500)]
    train, valid = reviews[:1200], reviews[1200:]
    vocab = build_vocab(train)
    encode = lambda rows: [([vocab.get(w, 1) for w in ws], y) for ws, y in rows]
    train_loader = DataLoader(encode(train), batch_size=32, shuffle=True, collate_fn=collate)
    valid_loader = DataLoader(encode(valid), batch_size=64, collate_fn=collate)

    model = GRUClassifier(len(vocab))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(5):
        model.train()
        for tokens, lengths, y in train_loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(tokens, lengths), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
        val_loss, val_acc = evaluate(model, valid_loader)
        print(f"epoch {epoch}: train loss {loss.item():.3f} | val loss {val_loss:.3f} acc {val_acc:.3f}")


if __name__ == "__main__":
    main()
