#!/usr/bin/env python
"""Sequence tagging experiments (single-file release).

    python tagrun.py --seed 1 --hidden 48 --dropout 0.2
"""
import argparse
import copy
import random
from collections import OrderedDict

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset

TAGS = ["O", "B-TIME", "I-TIME", "B-PLACE", "I-PLACE", "B-DISH"]
IGNORE = -1


# ----------------------------------------------------------------------------- corpus
class BookingCorpus(Dataset):
    """Requests such as 'table at seven thirty in old harbour with ramen'. Some words are ambiguous."""

    def __init__(self, n, rng):
        words = {"fill": 60, "time": 14, "place": 30, "dish": 25}
        self.vocab = OrderedDict({"<pad>": 0})
        for kind, count in words.items():
            for i in range(count):
                self.vocab[f"{kind}{i}"] = len(self.vocab)
        for w in ("at", "in", "with", "for"):
            self.vocab[w] = len(self.vocab)
        self.samples = [self.sentence(rng, words) for _ in range(n)]

    def sentence(self, rng, words):
        toks, tags = [], []
        for _ in range(rng.randint(2, 5)):
            for _ in range(rng.randint(1, 3)):
                toks.append(f"fill{rng.randrange(words['fill'])}")
                tags.append("O")
            slot = rng.choice(["time", "place", "dish"])
            marker = {"time": "at", "place": "in", "dish": "with"}[slot]
            toks.append(marker if rng.random() > 0.25 else "for")
            tags.append("O")
            span = 1 if slot == "dish" else rng.randint(1, 2)
            for j in range(span):
                # one word in five is borrowed from another slot: only the context tells
                kind = slot if rng.random() > 0.2 else rng.choice(["time", "place", "dish"])
                toks.append(f"{kind}{rng.randrange(words[kind])}")
                tags.append(f"{'B' if j == 0 else 'I'}-{slot.upper()}")
        return (torch.tensor([self.vocab[t] for t in toks]), torch.tensor([TAGS.index(t) for t in tags]))

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, i):
        return self.samples[i]


def collate(batch):
    toks, tags = zip(*batch)
    lengths = torch.tensor([len(t) for t in toks])
    return (pad_sequence(toks, batch_first=True),
            pad_sequence(tags, batch_first=True, padding_value=IGNORE), lengths)


# ----------------------------------------------------------------------------- model
class BiLSTMTagger(nn.Module):
    def __init__(self, n_vocab, embed, hidden, dropout):
        super().__init__()
        self.embed = nn.Embedding(n_vocab, embed, padding_idx=0)
        self.drop = nn.Dropout(dropout)
        self.lstm = nn.LSTM(embed, hidden, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * hidden, len(TAGS))

    def forward(self, toks, lengths):
        x = self.drop(self.embed(toks))
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        h, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return self.out(self.drop(h))


# ----------------------------------------------------------------------------- utils
class AverageMeter:
    def __init__(self):
        self.reset()

    def reset(self):
        self.sum, self.count = 0.0, 0

    def update(self, value, n=1):
        self.sum += value * n
        self.count += n

    @property
    def avg(self):
        return self.sum / max(self.count, 1)


class Experiment:
    def __init__(self, cfg, train_set, valid_set):
        self.cfg = cfg
        self.train_loader = DataLoader(train_set, cfg.batch_size, shuffle=True, collate_fn=collate)
        self.valid_loader = DataLoader(valid_set, cfg.batch_size, collate_fn=collate)
        self.model = BiLSTMTagger(len(train_set.vocab), cfg.embed, cfg.hidden, cfg.dropout)
        self.criterion = nn.CrossEntropyLoss(ignore_index=IGNORE)
        self.optim = torch.optim.Adam(self.model.parameters(), lr=cfg.lr)
        self.meters = {k: AverageMeter() for k in ("train_loss", "valid_loss", "valid_acc")}
        self.best = (-1.0, None, -1)

    def train_epoch(self):
        self.model.train()
        self.meters["train_loss"].reset()
        for toks, tags, lengths in self.train_loader:
            logits = self.model(toks, lengths)
            loss = self.criterion(logits.flatten(0, 1), tags.flatten())
            self.optim.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), self.cfg.clip)
            self.optim.step()
            self.meters["train_loss"].update(loss.item(), int(lengths.sum()))

    @torch.no_grad()
    def validate(self):
        self.model.eval()
        for name in ("valid_loss", "valid_acc"):
            self.meters[name].reset()
        for toks, tags, lengths in self.valid_loader:
            logits = self.model(toks, lengths)
            n = int(lengths.sum())
            keep = tags != IGNORE
            self.meters["valid_loss"].update(self.criterion(logits.flatten(0, 1), tags.flatten()).item(), n)
            self.meters["valid_acc"].update((logits.argmax(-1)[keep] == tags[keep]).float().mean().item(), n)
        return self.meters["valid_acc"].avg

    def run(self):
        for epoch in range(self.cfg.epochs):
            self.train_epoch()
            acc = self.validate()
            if acc > self.best[0]:
                self.best = (acc, copy.deepcopy(self.model.state_dict()), epoch)
            print(" | ".join([f"epoch {epoch}"] + [f"{k} {m.avg:.4f}" for k, m in self.meters.items()]))
        self.model.load_state_dict(self.best[1])
        print(f"best epoch {self.best[2]}, valid_acc {self.best[0]:.4f}")


def get_config():
    p = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--epochs", type=int, default=10)
    p.add_argument("--batch-size", type=int, default=32)
    p.add_argument("--embed", type=int, default=32)
    p.add_argument("--hidden", type=int, default=40)
    p.add_argument("--dropout", type=float, default=0.3)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--clip", type=float, default=5.0)
    return p.parse_args()


def main():
    cfg = get_config()
    random.seed(cfg.seed)
    np.random.seed(cfg.seed)
    torch.manual_seed(cfg.seed)
    print(vars(cfg))
    rng = random.Random(cfg.seed)
    Experiment(cfg, BookingCorpus(1500, rng), BookingCorpus(400, rng)).run()


if __name__ == "__main__":
    main()
