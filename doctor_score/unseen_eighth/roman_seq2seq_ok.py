# -*- coding: utf-8 -*-
"""
NLP lab: translating Roman numerals to decimal numbers with a sequence to sequence network and attention
========================================================================================================
"""
import argparse
import random
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence

PAD_token, SOS_token, EOS_token = 0, 1, 2


class Lang:
    def __init__(self, symbols):
        self.char2index = {c: i + 3 for i, c in enumerate(symbols)}
        self.index2char = {i: c for c, i in self.char2index.items()}
        self.n_chars = len(symbols) + 3

    def encode(self, word):
        return [self.char2index[c] for c in word] + [EOS_token]

    def decode(self, ids):
        word = ""
        for i in ids:
            if i == EOS_token:
                break
            word += self.index2char.get(i, "?")
        return word


def to_roman(n):
    table = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"),
             (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]
    s = ""
    for v, r in table:
        while n >= v:
            s, n = s + r, n - v
    return s


roman, decimal = Lang("IVXLCDM"), Lang("0123456789")


def batches(pairs, size, shuffle):
    pairs = list(pairs)
    if shuffle:
        random.shuffle(pairs)
    for i in range(0, len(pairs), size):
        part = pairs[i : i + size]
        src = [torch.tensor(roman.encode(a)) for a, _ in part]
        tgt = [torch.tensor([SOS_token] + decimal.encode(b)) for _, b in part]
        yield pad_sequence(src, batch_first=True), pad_sequence(tgt, batch_first=True), [b for _, b in part]


class EncoderRNN(nn.Module):
    def __init__(self, input_size, hidden_size):
        super(EncoderRNN, self).__init__()
        self.embedding = nn.Embedding(input_size, hidden_size, padding_idx=PAD_token)
        self.gru = nn.GRU(hidden_size, hidden_size, batch_first=True)

    def forward(self, input):
        lengths = (input != PAD_token).sum(1)
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(input), lengths, batch_first=True, enforce_sorted=False)
        output, hidden = self.gru(packed)
        output, _ = nn.utils.rnn.pad_packed_sequence(output, batch_first=True)
        return output, hidden


class AttnDecoderRNN(nn.Module):
    def __init__(self, hidden_size, output_size):
        super(AttnDecoderRNN, self).__init__()
        self.embedding = nn.Embedding(output_size, hidden_size, padding_idx=PAD_token)
        self.gru = nn.GRU(hidden_size, hidden_size, batch_first=True)
        self.key = nn.Linear(hidden_size, hidden_size, bias=False)
        self.mix = nn.Linear(2 * hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, output_size)

    def forward(self, input, hidden, memory, memory_mask):
        states, hidden = self.gru(self.embedding(input), hidden)
        score = states @ self.key(memory).transpose(1, 2)
        score = score.masked_fill(~memory_mask.unsqueeze(1), float("-inf"))
        context = F.softmax(score, dim=-1) @ memory
        return self.out(torch.tanh(self.mix(torch.cat([states, context], dim=-1)))), hidden


def train_epoch(pairs, encoder, decoder, optimizer, criterion, batch_size):
    encoder.train()
    decoder.train()
    total, count = 0.0, 0
    for src, tgt, _ in batches(pairs, batch_size, shuffle=True):
        optimizer.zero_grad()
        memory, hidden = encoder(src)
        decoder_input, target = tgt[:, :-1], tgt[:, 1:]
        logits, _ = decoder(decoder_input, hidden, memory, src != PAD_token)
        loss = criterion(logits.reshape(-1, logits.size(-1)), target.reshape(-1))
        loss.backward()
        nn.utils.clip_grad_norm_([*encoder.parameters(), *decoder.parameters()], 5.0)
        optimizer.step()
        n = (target != PAD_token).sum().item()
        total += loss.item() * n
        count += n
    return total / count


@torch.no_grad()
def translate(encoder, decoder, src, max_length=6):
    encoder.eval()
    decoder.eval()
    memory, hidden = encoder(src)
    token = torch.full((len(src), 1), SOS_token)
    ids = []
    for _ in range(max_length):
        logits, hidden = decoder(token, hidden, memory, src != PAD_token)
        token = logits.argmax(-1)
        ids.append(token)
    return [decimal.decode(row) for row in torch.cat(ids, 1).tolist()]


def exact_match(pairs, encoder, decoder):
    right = 0
    for src, _, words in batches(pairs, 200, shuffle=False):
        right += sum(g == w for g, w in zip(translate(encoder, decoder, src), words))
    return right / len(pairs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    torch.manual_seed(args.seed)

    data = [(to_roman(n), str(n)) for n in range(1, 4000)]
    random.shuffle(data)
    train_pairs, valid_pairs = data[:3400], data[3400:]

    hidden_size = 96
    encoder = EncoderRNN(roman.n_chars, hidden_size)
    decoder = AttnDecoderRNN(hidden_size, decimal.n_chars)
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=3e-3)
    criterion = nn.CrossEntropyLoss(ignore_index=PAD_token)

    start = time.time()
    for epoch in range(1, 13):
        loss = train_epoch(train_pairs, encoder, decoder, optimizer, criterion, 64)
        if epoch % 2 == 0:
            print("%2ds (%d %d%%) loss %.4f, exact match %.3f" % (
                time.time() - start, epoch, epoch / 12 * 100, loss, exact_match(valid_pairs, encoder, decoder)))
    for a, b in valid_pairs[:5]:
        src = torch.tensor([roman.encode(a)])
        print(">", a, "=", b, "<", translate(encoder, decoder, src)[0])
