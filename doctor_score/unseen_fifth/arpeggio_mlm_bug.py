"""BERT-style pretraining on music: fill in the masked notes of arpeggios.

A piece has four bars of eight notes; each bar is a broken chord, with a root and a figure.
"""
import argparse
import math
import random

import numpy as np
import torch
import torch.nn as nn

NOTES = 24
MASK = NOTES                       # token ids 0..23 are notes
VOCAB = NOTES + 1
BARS, BEATS = 4, 8
FIGURES = [
    [0, 4, 7, 12, 7, 4, 0, 4],
    [0, 7, 4, 7, 0, 7, 4, 7],
    [12, 7, 4, 0, 12, 7, 4, 0],
    [0, 2, 4, 5, 7, 5, 4, 2],
    [0, 3, 7, 10, 12, 10, 7, 3],
]


def compose(n, rng):
    pieces = set()
    while len(pieces) < n:
        piece = []
        for _ in range(BARS):
            root, figure = rng.randrange(12), rng.choice(FIGURES)
            piece += [root + step for step in figure]
        pieces.add(tuple(piece))
    pieces = sorted(pieces)
    rng.shuffle(pieces)
    return torch.tensor(pieces)


def mask_tokens(ids, generator=None, p=0.2):
    """80 % of the chosen positions become MASK, 10 % a random note, 10 % stay (Devlin et al.)."""
    labels = ids.clone()
    chosen = torch.rand(ids.shape, generator=generator) < p
    labels[~chosen] = -100
    dice = torch.rand(ids.shape, generator=generator)
    inputs = ids.clone()
    inputs[chosen & (dice < 0.8)] = MASK
    swap = chosen & (dice >= 0.8) & (dice < 0.9)
    inputs[swap] = torch.randint(NOTES, ids.shape, generator=generator)[swap]
    return inputs, labels


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, max_len=64):
        super().__init__()
        position = torch.arange(max_len).unsqueeze(1)
        div = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.zeros(max_len, d_model)
        pe[:, 0::2] = torch.sin(position * div)
        pe[:, 1::2] = torch.cos(position * div)
        self.register_buffer("pe", pe)

    def forward(self, x):
        return x + self.pe[:x.size(1)]


class MusicBert(nn.Module):
    def __init__(self, d_model=64, heads=4, layers=2):
        super().__init__()
        self.d_model = d_model
        self.embed = nn.Embedding(VOCAB, d_model)
        nn.init.normal_(self.embed.weight, std=d_model ** -0.5)
        self.pos = PositionalEncoding(d_model)
        layer = nn.TransformerEncoderLayer(d_model, heads, 2 * d_model, dropout=0.0,
                                           activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(d_model),
                                             enable_nested_tensor=False)
        self.head = nn.Linear(d_model, VOCAB)

    def forward(self, ids):
        h = self.embed(ids) * math.sqrt(self.d_model)
        return self.head(self.encoder(h))


@torch.no_grad()
def evaluate(model, pieces, criterion):
    model.eval()
    inputs, labels = mask_tokens(pieces, torch.Generator().manual_seed(5))
    logits = model(inputs)
    loss = criterion(logits.flatten(0, 1), labels.flatten()).item()
    where = labels != -100
    acc = (logits.argmax(-1)[where] == labels[where]).float().mean().item()
    model.train()
    return loss, acc


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=1000)
    args = parser.parse_args()
    torch.set_num_threads(1)
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    pieces = compose(4400, random.Random(args.seed))
    train, val, test = pieces[:4000], pieces[4000:4200], pieces[4200:]

    model = MusicBert()
    criterion = nn.CrossEntropyLoss(ignore_index=-100)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    warmup = 50
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / warmup, max(0.02, (args.steps - s) / (args.steps - warmup))))

    model.train()
    step, running = 0, []
    while step < args.steps:
        for batch in train[torch.randperm(len(train))].split(40):
            inputs, labels = mask_tokens(batch)
            loss = criterion(model(inputs).flatten(0, 1), labels.flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            running.append(loss.item())
            step += 1
            if step % 100 == 0:
                val_loss, val_acc = evaluate(model, val, criterion)
                print(f"step {step}: train {np.mean(running[-100:]):.3f} "
                      f"val {val_loss:.3f} masked accuracy {val_acc:.3f}")
            if step == args.steps:
                break

    test_loss, test_acc = evaluate(model, test, criterion)
    print(f"final: test loss {test_loss:.4f}, accuracy on masked notes {test_acc:.4f}")


if __name__ == "__main__":
    main()
