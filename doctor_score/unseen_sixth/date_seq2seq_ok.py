# -*- coding: utf-8 -*-
# Seq2seq with (Luong, "general") attention: human dates -> ISO dates
#   "7 march 1998" / "March 7, 98" / "tuesday the 7th of march 1998"  ->  "1998-03-07"
import argparse
import datetime
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

PAD, SOS, EOS = 0, 1, 2
SRC_CHARS = " ,/.abcdefghijklmnopqrstuvwxyz0123456789"
TGT_CHARS = "-0123456789"
src_index = {c: i + 1 for i, c in enumerate(SRC_CHARS)}
tgt_index = {c: i + 3 for i, c in enumerate(TGT_CHARS)}


def random_pair(rng):
    d = datetime.date(1970, 1, 1) + datetime.timedelta(days=rng.randrange(18000))
    month, weekday = d.strftime("%B").lower(), d.strftime("%A").lower()
    style = rng.randrange(4)
    if style == 0:
        s = f"{d.day}/{d.month}/{d.year}"
    elif style == 1:
        s = f"{month[:3]}. {d.day}, {d.year}"
    elif style == 2:
        s = f"{d.day} {month} {d.year}"
    else:
        s = f"{weekday}, the {d.day} of {month} {d.year}"
        s += rng.choice(["", ", at noon", " in the afternoon", ", 8 pm at the town hall", " before sunset"])
    return s, d.isoformat()


def bucketed(pairs, batch_size):
    """batches of sources that have about the same length, in random order"""
    pairs = sorted(pairs, key=lambda p: len(p[0]) + random.random())
    batches = [pairs[i:i + batch_size] for i in range(0, len(pairs), batch_size)]
    random.shuffle(batches)
    return batches


def to_batch(pairs):
    lengths = torch.tensor([len(s) for s, _ in pairs])
    src = torch.full((len(pairs), int(lengths.max())), PAD)
    for i, (s, _) in enumerate(pairs):
        src[i, :len(s)] = torch.tensor([src_index[c] for c in s])
    tgt = torch.tensor([[tgt_index[c] for c in t] + [EOS] for _, t in pairs])
    return src, lengths, tgt


class EncoderRNN(nn.Module):
    def __init__(self, hidden_size):
        super().__init__()
        self.embedding = nn.Embedding(len(SRC_CHARS) + 1, 32, padding_idx=PAD)
        self.gru = nn.GRU(32, hidden_size // 2, batch_first=True, bidirectional=True)

    def forward(self, src, lengths):
        packed = pack_padded_sequence(self.embedding(src), lengths, batch_first=True, enforce_sorted=False)
        outputs, hidden = self.gru(packed)
        outputs, _ = pad_packed_sequence(outputs, batch_first=True)
        # both directions' last states start the decoder
        return outputs, torch.cat([hidden[0], hidden[1]], dim=1)


class AttnDecoderRNN(nn.Module):
    def __init__(self, hidden_size):
        super().__init__()
        n_tokens = len(TGT_CHARS) + 3
        self.embedding = nn.Embedding(n_tokens, 32)
        self.cell = nn.GRUCell(32 + hidden_size, hidden_size)
        self.attn = nn.Linear(hidden_size, hidden_size, bias=False)
        self.scale = hidden_size ** 0.5
        self.combine = nn.Linear(2 * hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, n_tokens)

    def forward(self, token, hidden, context, encoder_outputs, src_mask):
        hidden = self.cell(torch.cat([self.embedding(token), context], dim=1), hidden)
        scores = torch.bmm(encoder_outputs, self.attn(hidden).unsqueeze(2)).squeeze(2) / self.scale
        scores = scores.masked_fill(~src_mask, float("-inf"))
        weights = F.softmax(scores, dim=1)
        context = torch.bmm(weights.unsqueeze(1), encoder_outputs).squeeze(1)
        h = torch.tanh(self.combine(torch.cat([hidden, context], dim=1)))
        return self.out(h), hidden, context


class Seq2Seq(nn.Module):
    def __init__(self, hidden_size=96):
        super().__init__()
        self.encoder = EncoderRNN(hidden_size)
        self.decoder = AttnDecoderRNN(hidden_size)

    def forward(self, src, lengths, tgt=None, max_len=11):
        encoder_outputs, hidden = self.encoder(src, lengths)
        src_mask = src != PAD
        context = torch.zeros_like(hidden)
        token = torch.full((len(src),), SOS)
        logits = []
        for t in range(max_len):
            step, hidden, context = self.decoder(token, hidden, context, encoder_outputs, src_mask)
            logits.append(step)
            # teacher forcing during training, greedy otherwise
            token = tgt[:, t] if tgt is not None else step.argmax(1)
        return torch.stack(logits, dim=1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)

    pairs = list(dict.fromkeys(random_pair(random) for _ in range(2400)))
    seen = set()
    val_pairs = pairs[-400:]
    seen.update(t for _, t in val_pairs)
    train_pairs = [p for p in pairs[:-400] if p[1] not in seen]
    print(len(train_pairs), "training pairs,", len(val_pairs), "validation pairs")

    model = Seq2Seq()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(9):
        model.train()
        losses = []
        for batch in bucketed(train_pairs, 40):
            src, lengths, tgt = to_batch(batch)
            logits = model(src, lengths, tgt)
            loss = F.cross_entropy(logits.flatten(0, 1), tgt.flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        right = 0
        with torch.no_grad():
            for i in range(0, len(val_pairs), 100):
                src, lengths, tgt = to_batch(val_pairs[i:i + 100])
                right += (model(src, lengths).argmax(2) == tgt).all(1).sum().item()
        print(f"epoch {epoch}: loss {np.mean(losses):.4f}, exact dates {right / len(val_pairs):.3f}")


if __name__ == "__main__":
    main()
