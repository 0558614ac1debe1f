import argparse
import random

import torch
import torch.nn as nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

POS = "good great lovely superb fun brilliant".split()
NEG = "bad awful boring poor dull terrible".split()
FILL = "the a film movie plot actor scene was and with it this that story music of in on".split()
VOCAB = {w: i for i, w in enumerate(["<pad>", "<unk>", "not"] + POS + NEG + FILL)}
PAD = VOCAB["<pad>"]


def write_review(rng):
    """Words of one review, and whether it is a good one. Mood words stand anywhere; "not" turns the next one."""
    while True:
        words, mood = [], 0
        for _ in range(rng.randint(5, 36)):
            u = rng.random()
            if u < 0.12:
                words.append(rng.choice(POS))
                mood += 1
            elif u < 0.24:
                words.append(rng.choice(NEG))
                mood -= 1
            elif u < 0.30:
                good = rng.random() < 0.5
                words += ["not", rng.choice(POS if good else NEG)]
                mood += -1 if good else 1
            else:
                words.append(rng.choice(FILL))
        if mood != 0:
            return words, int(mood > 0)


class Reviews(Dataset):
    def __init__(self, n, seed):
        rng = random.Random(seed)
        self.items = [write_review(rng) for _ in range(n)]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        words, label = self.items[i]
        return torch.tensor([VOCAB.get(w, 1) for w in words]), label


def collate(batch):
    seqs, labels = zip(*batch)
    lengths = torch.tensor([len(s) for s in seqs])
    return pad_sequence(seqs, batch_first=True, padding_value=PAD), lengths, torch.tensor(labels).float()


class GRUClassifier(nn.Module):
    def __init__(self, emb=32, hidden=64):
        super().__init__()
        self.embedding = nn.Embedding(len(VOCAB), emb, padding_idx=PAD)
        self.gru = nn.GRU(emb, hidden, batch_first=True)
        self.drop = nn.Dropout(0.2)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, tokens):
        emb = self.embedding(tokens)
        out, _ = self.gru(emb)
        last = out[:, -1]
        return self.fc(self.drop(last)).squeeze(1)


def evaluate(model, loader, criterion):
    model.eval()
    loss, hits, n = 0.0, 0, 0
    with torch.no_grad():
        for tokens, lengths, y in loader:
            out = model(tokens)
            loss += criterion(out, y).item() * len(y)
            hits += ((out > 0).float() == y).sum().item()
            n += len(y)
    return loss / n, hits / n


if __name__ == "__main__":
    cli = argparse.ArgumentParser()
    cli.add_argument("--seed", type=int, default=0)
    seed = cli.parse_args().seed
    random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)

    train_loader = DataLoader(Reviews(2400, 2 * seed), batch_size=32, shuffle=True, collate_fn=collate)
    valid_loader = DataLoader(Reviews(500, 2 * seed + 1), batch_size=64, collate_fn=collate)
    model = GRUClassifier()
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(5):
        model.train()
        total, count = 0.0, 0
        for tokens, lengths, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(tokens), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item() * len(y)
            count += len(y)
        vl, va = evaluate(model, valid_loader, criterion)
        print(f"Epoch: {epoch + 1:02} | Train Loss: {total / count:.3f} | Val. Loss: {vl:.3f} | Val. Acc: {va * 100:.2f}%")
