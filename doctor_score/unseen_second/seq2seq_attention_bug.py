"""Sequence to sequence with attention: spell a number string backwards, e.g. 4 1 7 7 2 9 -> 9 2 7 7 1 4."""
import argparse

import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset, random_split

BOS, EOS = 10, 11
N_TOKENS = 12
LENGTH = 6


def make_data(n, generator):
    src = torch.randint(0, 10, (n, LENGTH), generator=generator)
    src = torch.unique(src, dim=0)
    src = src[torch.randperm(len(src), generator=generator)]
    bos = torch.full((len(src), 1), BOS)
    eos = torch.full((len(src), 1), EOS)
    tgt = torch.cat([bos, src.flip(1), eos], dim=1)
    return TensorDataset(src, tgt)


class Encoder(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.embedding = nn.Embedding(N_TOKENS, dim)
        self.rnn = nn.GRU(dim, dim, batch_first=True, bidirectional=True)
        self.merge = nn.Linear(2 * dim, dim)

    def forward(self, src):
        states, h = self.rnn(self.embedding(src))
        h = torch.tanh(self.merge(torch.cat([h[0], h[1]], dim=1)))
        return self.merge(states), h.unsqueeze(0)


class AttnDecoder(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.embedding = nn.Embedding(N_TOKENS, dim)
        self.rnn = nn.GRU(dim, dim, batch_first=True)
        self.query = nn.Linear(dim, dim)
        self.out = nn.Linear(2 * dim, N_TOKENS)

    def forward(self, tokens, memory, h):
        states, h = self.rnn(self.embedding(tokens), h)
        scores = self.query(states) @ memory.transpose(1, 2) / memory.size(-1) ** 0.5
        context = scores.softmax(dim=-1) @ memory
        return self.out(torch.cat([states, context], dim=-1)), h


class Seq2Seq(nn.Module):
    def __init__(self, dim=64):
        super().__init__()
        self.encoder = Encoder(dim)
        self.decoder = AttnDecoder(dim)

    def forward(self, src, tokens):
        memory, h = self.encoder(src)
        logits, _ = self.decoder(tokens, memory, h)
        return logits

    @torch.no_grad()
    def greedy(self, src):
        memory, h = self.encoder(src)
        token = torch.full((len(src), 1), BOS)
        result = []
        for _ in range(LENGTH + 1):
            logits, h = self.decoder(token, memory, h)
            token = logits[:, -1:].argmax(-1)
            result.append(token)
        return torch.cat(result, dim=1)


def batch_loss(model, criterion, src, tgt):
    logits = model(src, tgt)
    return criterion(logits.flatten(0, 1), tgt.flatten())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)

    generator = torch.Generator().manual_seed(args.seed)
    data = make_data(5000, generator)
    train_set, val_set = random_split(data, [len(data) - 500, 500], generator=generator)
    train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=100)

    model = Seq2Seq()
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(1, 6):
        model.train()
        train_loss = 0.0
        for src, tgt in train_loader:
            optimizer.zero_grad()
            loss = batch_loss(model, criterion, src, tgt)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            train_loss += loss.item() * len(src)
        model.eval()
        val_loss = 0.0
        with torch.no_grad():
            for src, tgt in val_loader:
                val_loss += batch_loss(model, criterion, src, tgt).item() * len(src)
        print(f"epoch {epoch}: train {train_loss / len(train_set):.4f} val {val_loss / len(val_set):.4f}")

    src, tgt = next(iter(val_loader))
    for s, o in zip(src[:3].tolist(), model.greedy(src[:3]).tolist()):
        print(s, "->", o)


if __name__ == "__main__":
    main()
