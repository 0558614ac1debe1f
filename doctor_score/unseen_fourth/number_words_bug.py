"""Seq2seq with attention: write out a number in words, 347 -> three hundred forty seven."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader

PAD, BOS, EOS = 0, 1, 2
ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
WORDS = ["<pad>", "<bos>", "<eos>", *ONES, *TENS, "hundred", "thousand", "million"]
WORD_ID = {w: i for i, w in enumerate(WORDS)}


def spell(n):
    if n < 20:
        return [ONES[n]]
    if n < 100:
        return [TENS[n // 10 - 2]] + ([ONES[n % 10]] if n % 10 else [])
    if n < 1000:
        return [ONES[n // 100], "hundred"] + (spell(n % 100) if n % 100 else [])
    for value, name in ((10**6, "million"), (10**3, "thousand")):
        if n >= value:
            return spell(n // value) + [name] + (spell(n % value) if n % value else [])


def encode(n):
    src = torch.tensor([int(c) + 1 for c in str(n)])
    trg = torch.tensor([BOS] + [WORD_ID[w] for w in spell(n)] + [EOS])
    return src, trg


def collate(batch):
    src, trg = zip(*batch)
    lengths = torch.tensor([len(s) for s in src])
    return pad_sequence(src, batch_first=True), lengths, pad_sequence(trg, batch_first=True, padding_value=PAD)


class Encoder(nn.Module):
    def __init__(self, n_tokens, emb, hid):
        super().__init__()
        self.embedding = nn.Embedding(n_tokens, emb, padding_idx=0)
        self.rnn = nn.GRU(emb, hid, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * hid, hid)

    def forward(self, src, lengths):
        packed = pack_padded_sequence(self.embedding(src), lengths, batch_first=True, enforce_sorted=False)
        out, h = self.rnn(packed)
        out, _ = pad_packed_sequence(out, batch_first=True)
        return out, torch.tanh(self.fc(torch.cat([h[0], h[1]], dim=1))).unsqueeze(0)


class Decoder(nn.Module):
    def __init__(self, n_tokens, emb, hid):
        super().__init__()
        self.embedding = nn.Embedding(n_tokens, emb)
        self.rnn = nn.GRU(emb, hid, batch_first=True)
        self.query = nn.Linear(hid, 2 * hid)
        self.out = nn.Linear(3 * hid, n_tokens)

    def forward(self, tokens, hidden, enc_out, mask):
        h, hidden = self.rnn(self.embedding(tokens), hidden)
        scores = self.query(h) @ enc_out.transpose(1, 2)
        weights = scores.masked_fill(~mask[:, None], -1e9).softmax(-1)
        return self.out(torch.cat([h, weights @ enc_out], dim=-1)), hidden


class Seq2Seq(nn.Module):
    def __init__(self, emb=32, hid=48):
        super().__init__()
        self.encoder = Encoder(11, emb, hid)
        self.decoder = Decoder(len(WORDS), emb, hid)

    def forward(self, src, lengths, trg_in):
        enc_out, hidden = self.encoder(src, lengths)
        return self.decoder(trg_in, hidden, enc_out, src != 0)[0]

    @torch.no_grad()
    def translate(self, src, lengths, max_len=22):
        enc_out, hidden = self.encoder(src, lengths)
        token = torch.full((len(src), 1), BOS)
        result = []
        for _ in range(max_len):
            logits, hidden = self.decoder(token, hidden, enc_out, src != 0)
            token = logits.argmax(-1)
            result.append(token)
        return torch.cat(result, dim=1)


def exact(output, trg):
    hits = 0
    for o, t in zip(output.tolist(), trg[:, 1:].tolist()):
        want = t[: t.index(EOS) + 1]
        hits += o[: len(want)] == want
    return hits / len(trg)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=10)
    args = parser.parse_args()
    torch.set_num_threads(1)
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    numbers = sorted({int(10 ** (1 + 8 * random.random() ** 1.7)) for _ in range(4500)})
    random.shuffle(numbers)
    pairs = [encode(n) for n in numbers]
    valid_pairs, train_pairs = pairs[:400], pairs[400:]
    train_loader = DataLoader(train_pairs, batch_size=32, shuffle=True, collate_fn=collate)
    v_src, v_len, v_trg = collate(valid_pairs)

    model = Seq2Seq()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.15, momentum=0.9)
    criterion = nn.CrossEntropyLoss()

    def loss_of(src, lengths, trg):
        logits = model(src, lengths, trg[:, :-1])
        return criterion(logits.reshape(-1, len(WORDS)), trg[:, 1:].reshape(-1))

    for epoch in range(1, args.epochs + 1):
        model.train()
        epoch_loss = 0.0
        for src, lengths, trg in train_loader:
            optimizer.zero_grad()
            loss = loss_of(src, lengths, trg)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            epoch_loss += loss.item() * len(src) / len(train_pairs)
        model.eval()
        with torch.no_grad():
            valid_loss = loss_of(v_src, v_len, v_trg).item()
        hits = exact(model.translate(v_src, v_len), v_trg)
        print(f"epoch {epoch:2d} | train {epoch_loss:.4f} | valid {valid_loss:.4f} | exact {hits:.3f}")


if __name__ == "__main__":
    main()
