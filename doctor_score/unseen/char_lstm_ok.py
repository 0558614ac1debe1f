# char-rnn on the docstrings of python's builtins
import argparse
import builtins
import math

import torch
import torch.nn as nn

torch.set_num_threads(1)

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--hidden", type=int, default=96)
parser.add_argument("--seq_len", type=int, default=40)
parser.add_argument("--epochs", type=int, default=5)
opt = parser.parse_args()
torch.manual_seed(opt.seed)


def corpus():
    docs = {}
    for name in sorted(dir(builtins)):
        obj = getattr(builtins, name)
        for attr in [obj] + ([getattr(obj, a) for a in sorted(dir(obj)) if not a.startswith("_")]
                             if isinstance(obj, type) else []):
            doc = getattr(attr, "__doc__", None)
            if isinstance(doc, str) and doc.isascii():
                docs[doc] = None
    docs = list(docs)
    order = torch.randperm(len(docs)).tolist()
    return [docs[i] + "\n\n" for i in order]


docs = corpus()
cut = int(0.9 * len(docs))
train_text, valid_text = "".join(docs[:cut]), "".join(docs[cut:])
chars = ["<unk>"] + sorted(set(train_text))
stoi = {c: i for i, c in enumerate(chars)}
encode = lambda s: torch.tensor([stoi.get(c, 0) for c in s])
train_data, valid_data = encode(train_text), encode(valid_text)
print("train chars", len(train_data), "valid chars", len(valid_data), "vocab", len(chars))


def windows(data):
    """Non-overlapping windows of input characters, and the character that follows each of them."""
    n = (len(data) - 1) // opt.seq_len
    x = data[:n * opt.seq_len].view(n, opt.seq_len)
    y = data[1:n * opt.seq_len + 1].view(n, opt.seq_len)
    return x, y


class CharLSTM(nn.Module):
    def __init__(self, vocab, hidden):
        super().__init__()
        self.embed = nn.Embedding(vocab, 32)
        self.lstm = nn.LSTM(32, hidden, batch_first=True)
        self.out = nn.Linear(hidden, vocab)

    def forward(self, x, state=None):
        h, state = self.lstm(self.embed(x), state)
        return self.out(h), state


model = CharLSTM(len(chars), opt.hidden)
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
criterion = nn.CrossEntropyLoss()


def loss_on(x, y):
    logits, _ = model(x)
    return criterion(logits.reshape(-1, len(chars)), y.reshape(-1))


def validate():
    model.eval()
    x, y = windows(valid_data)
    with torch.no_grad():
        loss = loss_on(x, y).item()
    model.train()
    return loss


def sample(prefix, n=80):
    model.eval()
    g = torch.Generator().manual_seed(1)
    text = prefix
    with torch.no_grad():
        logits, state = model(encode(prefix)[None])
        for _ in range(n):
            p = torch.softmax(logits[0, -1] / 0.7, dim=-1)
            c = torch.multinomial(p, 1, generator=g)
            text += chars[c.item()] if c.item() else "?"
            logits, state = model(c[None], state)
    model.train()
    return text


x_all, y_all = windows(train_data)
for epoch in range(opt.epochs):
    total = 0.0
    batches = torch.randperm(len(x_all)).split(32)
    for idx in batches:
        optimizer.zero_grad()
        loss = loss_on(x_all[idx], y_all[idx])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        total += loss.item() * len(idx)
    v = validate()
    print("epoch %d | train %.3f | valid %.3f | ppl %.2f" % (epoch, total / len(x_all), v, math.exp(v)))

print("-" * 40)
print(sample("Return "))
