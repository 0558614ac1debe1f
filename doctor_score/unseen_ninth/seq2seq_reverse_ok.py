import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

torch.manual_seed(17)
random.seed(17)

SYMBOLS = "abcdefgh"
MAX_DECODE = 12


class Vocab:
    def __init__(self, symbols):
        self.itos = list(symbols) + ["<sos>", "<eos>", "<pad>"]
        self.stoi = {s: i for i, s in enumerate(self.itos)}
        self.sos, self.eos = self.stoi["<sos>"], self.stoi["<eos>"]
        self.pad = self.stoi["<pad>"]

    def __len__(self):
        return len(self.itos)

    def encode(self, text):
        return torch.tensor([self.stoi[c] for c in text])


vocab = Vocab(SYMBOLS)


def make_data(n):
    words = set()
    while len(words) < n:
        words.add("".join(random.choice(SYMBOLS) for _ in range(random.randint(4, 7))))
    words = sorted(words)
    random.shuffle(words)
    return [(w, w[::-1]) for w in words]


def collate(batch):
    src = [vocab.encode(s) for s, _ in batch]
    tgt = [torch.cat([torch.tensor([vocab.sos]), vocab.encode(t), torch.tensor([vocab.eos])]) for _, t in batch]
    lengths = torch.tensor([len(s) for s in src])
    return (pad_sequence(src, batch_first=True, padding_value=vocab.pad), lengths,
            pad_sequence(tgt, batch_first=True, padding_value=vocab.pad))


class Encoder(nn.Module):
    def __init__(self, emb, hid):
        super().__init__()
        self.embedding = nn.Embedding(len(vocab), emb)
        self.rnn = nn.GRU(emb, hid, batch_first=True, bidirectional=True)
        self.bridge = nn.Linear(2 * hid, hid)
        self.keys = nn.Linear(2 * hid, hid)

    def forward(self, src, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(src), lengths, batch_first=True, enforce_sorted=False)
        out, h = self.rnn(packed)
        out, _ = nn.utils.rnn.pad_packed_sequence(out, batch_first=True)
        return self.keys(out), torch.tanh(self.bridge(torch.cat([h[0], h[1]], dim=1))).unsqueeze(0)


class Decoder(nn.Module):
    def __init__(self, emb, hid):
        super().__init__()
        self.embedding = nn.Embedding(len(vocab), emb)
        self.rnn = nn.GRU(emb, hid, batch_first=True)
        self.out = nn.Linear(2 * hid, len(vocab))

    def forward(self, tokens, hidden, memory, mask):
        states, hidden = self.rnn(self.embedding(tokens), hidden)
        scores = states @ memory.transpose(1, 2) / memory.size(-1) ** 0.5
        scores = scores.masked_fill(~mask.unsqueeze(1), float("-inf"))
        context = scores.softmax(-1) @ memory
        return self.out(torch.cat([states, context], dim=-1)), hidden


class Seq2Seq(nn.Module):
    def __init__(self, emb=32, hid=64):
        super().__init__()
        self.encoder, self.decoder = Encoder(emb, hid), Decoder(emb, hid)

    def forward(self, src, lengths, tgt_in):
        memory, hidden = self.encoder(src, lengths)
        mask = torch.arange(memory.size(1)) < lengths.unsqueeze(1)
        return self.decoder(tgt_in, hidden, memory, mask)[0]

    @torch.no_grad()
    def translate(self, src, lengths):
        memory, hidden = self.encoder(src, lengths)
        mask = torch.arange(memory.size(1)) < lengths.unsqueeze(1)
        token = torch.full((len(src), 1), vocab.sos)
        result = []
        for _ in range(MAX_DECODE):
            logits, hidden = self.decoder(token, hidden, memory, mask)
            token = logits[:, -1:].argmax(-1)
            result.append(token)
        texts = []
        for row in torch.cat(result, dim=1).tolist():
            row = row[:row.index(vocab.eos)] if vocab.eos in row else row
            texts.append("".join(vocab.itos[i] for i in row))
        return texts


pairs = make_data(5000)
train_pairs, val_pairs = pairs[:4500], pairs[4500:]
train_loader = DataLoader(train_pairs, batch_size=64, shuffle=True, collate_fn=collate)
val_loader = DataLoader(val_pairs, batch_size=125, collate_fn=collate)

model = Seq2Seq()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
criterion = nn.CrossEntropyLoss(ignore_index=vocab.pad)

for epoch in range(1, 9):
    model.train()
    total, tokens = 0.0, 0
    for src, lengths, tgt in train_loader:
        optimizer.zero_grad()
        logits = model(src, lengths, tgt[:, :-1])
        gold = tgt[:, 1:]
        loss = criterion(logits.reshape(-1, len(vocab)), gold.reshape(-1))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        count = (gold != vocab.pad).sum().item()
        total += loss.item() * count
        tokens += count
    if epoch % 2 == 0:
        model.eval()
        val_total, val_tokens, exact, offset = 0.0, 0, 0, 0
        with torch.no_grad():
            for src, lengths, tgt in val_loader:
                gold = tgt[:, 1:]
                logits = model(src, lengths, tgt[:, :-1])
                count = (gold != vocab.pad).sum().item()
                val_total += criterion(logits.reshape(-1, len(vocab)), gold.reshape(-1)).item() * count
                val_tokens += count
                for guess in model.translate(src, lengths):
                    exact += guess == val_pairs[offset][1]
                    offset += 1
        print(f"epoch {epoch}: train loss {total / tokens:.4f}, val loss {val_total / val_tokens:.4f}, "
              f"exact match {exact / len(val_pairs):.3f}")
