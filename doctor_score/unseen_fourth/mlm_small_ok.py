import argparse
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

# ------------------------------------------------------------------------------------------------
# a small BERT: predict 15% of the words of made-up sentences from the rest
# ------------------------------------------------------------------------------------------------

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
p.add_argument("--lr", type=float, default=1e-3)
p.add_argument("--epochs", type=int, default=10)
p.add_argument("--batch_size", type=int, default=64)
p.add_argument("--d_model", type=int, default=64)
args = p.parse_args()

torch.set_num_threads(1)
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

SINGULAR = ["farmer", "teacher", "child", "singer", "pilot", "baker"]
PLURAL = [w + "s" if w != "child" else "children" for w in SINGULAR]
VERBS = {"eats": "eat", "buys": "buy", "sells": "sell", "grows": "grow"}
DRINKS = {"drinks": "drink", "pours": "pour", "spills": "spill"}
FOOD = ["apples", "bread", "rice", "carrots", "beans", "cheese"]
LIQUID = ["water", "milk", "tea", "juice", "coffee"]
TIMES = {"today": "now", "yesterday": "before", "tomorrow": "later"}
PLACES = ["market", "garden", "kitchen", "school", "harbor"]


def sentence():
    plural = random.random() < 0.5
    subject = ["many" if plural else "one", random.choice(PLURAL if plural else SINGULAR)]
    table, things = random.choice([(VERBS, FOOD), (DRINKS, LIQUID)])
    verb = random.choice(list(table))
    when = random.choice(list(TIMES))
    words = subject + [table[verb] if plural else verb, random.choice(things)]
    return words + ["in", "the", random.choice(PLACES), when, "not", TIMES[when]]


sentences = list({tuple(sentence()) for _ in range(3600)})
sentences.sort()
random.shuffle(sentences)
vocab = ["[MASK]"] + sorted({w for s in sentences for w in s})
index = {w: i for i, w in enumerate(vocab)}
ids = torch.tensor([[index[w] for w in s] for s in sentences])
n_val = len(ids) // 8
val_ids, train_ids = ids[:n_val], ids[n_val:]
print(len(train_ids), "sentences to train,", len(val_ids), "to validate,", len(vocab), "words")


def mask_tokens(batch, generator=None):
    chosen = torch.rand(batch.shape, generator=generator) < 0.15
    labels = batch.masked_fill(~chosen, -100)
    return batch.masked_fill(chosen, 0), labels


class SmallBert(nn.Module):
    def __init__(self, n_vocab, d_model, length):
        super().__init__()
        self.tok = nn.Embedding(n_vocab, d_model)
        self.pos = nn.Parameter(torch.randn(length, d_model) * 0.02)
        layer = nn.TransformerEncoderLayer(d_model, nhead=4, dim_feedforward=128, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=2)
        self.head = nn.Linear(d_model, n_vocab)

    def forward(self, x):
        return self.head(self.encoder(self.tok(x) + self.pos))


model = SmallBert(len(vocab), args.d_model, ids.size(1))
optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
loss_fn = nn.CrossEntropyLoss()
loader = DataLoader(TensorDataset(train_ids), batch_size=args.batch_size, shuffle=True)
val_x, val_labels = mask_tokens(val_ids, torch.Generator().manual_seed(0))

for epoch in range(args.epochs):
    model.train()
    losses = []
    for (batch,) in loader:
        x, labels = mask_tokens(batch)
        logits = model(x)
        loss = loss_fn(logits.flatten(0, 1), labels.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    model.eval()
    with torch.no_grad():
        logits = model(val_x)
        val_loss = loss_fn(logits.flatten(0, 1), val_labels.flatten()).item()
        where = val_labels != -100
        acc = (logits.argmax(-1)[where] == val_labels[where]).float().mean().item()
    print(f"epoch {epoch}: train loss {np.mean(losses):.3f}, val loss {val_loss:.3f}, masked accuracy {acc:.3f}")
