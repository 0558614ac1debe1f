#!/usr/bin/env python
"""Sequence tagging with a GRU. Sequences are grouped by length into small micro-batches to save memory, and
gradients are accumulated over several of them for each update."""
import argparse
import random

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

VOCAB, TAGS, IGNORE = 20, 5, -100
MICRO, ACCUMULATE = 8, 4


def make_corpus(count, rng):
    """The tag of a word follows from the word and the one before it; 5 % of the tags are noise."""
    rule = [[rng.randrange(TAGS) for _ in range(VOCAB)] for _ in range(4)]
    corpus = []
    for _ in range(count):
        length = min(60, max(3, int(rng.lognormvariate(2.5, 0.8))))
        words = [rng.randrange(VOCAB) for _ in range(length)]
        tags = [rule[(words[i - 1] if i else 0) % 4][w] for i, w in enumerate(words)]
        tags = [rng.randrange(TAGS) if rng.random() < 0.05 else t for t in tags]
        corpus.append((torch.tensor(words), torch.tensor(tags)))
    return corpus


class Tagger(nn.Module):
    def __init__(self, dim=32, hidden=64):
        super().__init__()
        self.embed = nn.Embedding(VOCAB, dim)
        self.rnn = nn.GRU(dim, hidden, batch_first=True)
        self.out = nn.Linear(hidden, TAGS)

    def forward(self, words, lengths):
        packed = pack_padded_sequence(self.embed(words), lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        return self.out(states)


def micro_batches(corpus, size, rng=None):
    order = sorted(range(len(corpus)), key=lambda i: (len(corpus[i][0]), rng.random() if rng else 0))
    batches = [order[i : i + size] for i in range(0, len(order), size)]
    if rng:
        rng.shuffle(batches)
    for batch in batches:
        words, tags = zip(*(corpus[i] for i in batch))
        lengths = torch.tensor([len(w) for w in words])
        yield (
            pad_sequence(words, batch_first=True),
            lengths,
            pad_sequence(tags, batch_first=True, padding_value=IGNORE),
        )


def groups(batches, size):
    group = []
    for batch in batches:
        group.append(batch)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def train_epoch(model, optimizer, corpus, rng):
    criterion = nn.CrossEntropyLoss(ignore_index=IGNORE, reduction="sum")
    model.train()
    losses = []
    for group in groups(micro_batches(corpus, MICRO, rng), ACCUMULATE):
        optimizer.zero_grad()
        tokens = sum(int(lengths.sum()) for _, lengths, _ in group)
        step_loss = 0.0
        for words, lengths, tags in group:
            logits = model(words, lengths)
            loss = criterion(logits.flatten(0, 1), tags.flatten()) / tokens
            loss.backward()
            step_loss += loss.item()
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        losses.append(step_loss)
    return sum(losses) / len(losses)


@torch.inference_mode()
def accuracy(model, corpus):
    model.eval()
    right = total = 0
    for words, lengths, tags in micro_batches(corpus, 64):
        kept = tags != IGNORE
        right += int((model(words, lengths).argmax(-1)[kept] == tags[kept]).sum())
        total += int(kept.sum())
    return right / total


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = random.Random(seed)
    corpus = make_corpus(1150, rng)
    train, dev = corpus[:900], corpus[900:]
    model = Tagger()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(6):
        loss = train_epoch(model, optimizer, train, rng)
        print(f"epoch {epoch}\tloss {loss:.4f}\tdev accuracy {accuracy(model, dev):.4f}", flush=True)


if __name__ == "__main__":
    main()
