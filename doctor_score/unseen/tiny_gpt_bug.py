"""Decoder-only transformer from scratch, trained on sentences of a toy grammar."""
import argparse
import math
import random
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch.nn import functional as F


@dataclass
class GPTConfig:
    block_size: int = 32
    vocab_size: int = 0
    n_layer: int = 2
    n_head: int = 4
    n_embd: int = 48
    dropout: float = 0.1


class CausalSelfAttention(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.c_attn = nn.Linear(cfg.n_embd, 3 * cfg.n_embd)
        self.c_proj = nn.Linear(cfg.n_embd, cfg.n_embd)
        self.drop = nn.Dropout(cfg.dropout)
        self.n_head = cfg.n_head
        mask = torch.tril(torch.ones(cfg.block_size, cfg.block_size), diagonal=1)
        self.register_buffer("mask", mask.view(1, 1, cfg.block_size, cfg.block_size))

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = self.c_attn(x).split(C, dim=2)
        q, k, v = (t.view(B, T, self.n_head, C // self.n_head).transpose(1, 2) for t in (q, k, v))
        att = q @ k.transpose(-2, -1) / math.sqrt(k.size(-1))
        att = att.masked_fill(self.mask[:, :, :T, :T] == 0, float("-inf"))
        att = F.softmax(att, dim=-1)
        y = (att @ v).transpose(1, 2).contiguous().view(B, T, C)
        return self.drop(self.c_proj(y))


class Block(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.ln_1 = nn.LayerNorm(cfg.n_embd)
        self.attn = CausalSelfAttention(cfg)
        self.ln_2 = nn.LayerNorm(cfg.n_embd)
        self.mlp = nn.Sequential(
            nn.Linear(cfg.n_embd, 4 * cfg.n_embd), nn.GELU(), nn.Linear(4 * cfg.n_embd, cfg.n_embd),
            nn.Dropout(cfg.dropout))

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.wte = nn.Embedding(cfg.vocab_size, cfg.n_embd)
        self.wpe = nn.Embedding(cfg.block_size, cfg.n_embd)
        self.drop = nn.Dropout(cfg.dropout)
        self.h = nn.ModuleList(Block(cfg) for _ in range(cfg.n_layer))
        self.ln_f = nn.LayerNorm(cfg.n_embd)
        self.lm_head = nn.Linear(cfg.n_embd, cfg.vocab_size, bias=False)
        self.apply(self._init_weights)

    @staticmethod
    def _init_weights(m):
        if isinstance(m, (nn.Linear, nn.Embedding)):
            nn.init.normal_(m.weight, mean=0.0, std=0.02)
        if isinstance(m, nn.Linear) and m.bias is not None:
            nn.init.zeros_(m.bias)

    def forward(self, idx, targets=None):
        pos = torch.arange(idx.size(1), device=idx.device)
        x = self.drop(self.wte(idx) + self.wpe(pos))
        for block in self.h:
            x = block(x)
        logits = self.lm_head(self.ln_f(x))
        loss = None
        if targets is not None:
            loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1))
        return logits, loss

    @torch.no_grad()
    def generate(self, idx, n, generator):
        for _ in range(n):
            logits, _ = self(idx[:, -self.cfg.block_size:])
            probs = F.softmax(logits[:, -1], dim=-1)
            idx = torch.cat([idx, torch.multinomial(probs, 1, generator=generator)], dim=1)
        return idx


def make_text(n_sentences, rng):
    people = ["anna", "bob", "carol", "dmitri", "the old man", "a child", "my sister", "nobody"]
    verbs = ["sees", "likes", "paints", "hides", "carries", "forgets", "sells"]
    things = ["a boat", "the lamp", "two apples", "some bread", "the red door", "a small dog", "her letter"]
    places = ["in the garden", "by the sea", "at night", "near the old mill", "after dinner", "on monday"]
    out = []
    for _ in range(n_sentences):
        s = f"{rng.choice(people)} {rng.choice(verbs)} {rng.choice(things)}"
        if rng.random() < 0.5:
            s += " " + rng.choice(places)
        out.append(s + ". ")
    return out


def blocks(ids, block_size):
    n = (len(ids) - 1) // block_size
    return (ids[:n * block_size].view(n, block_size), ids[1:n * block_size + 1].view(n, block_size))


@torch.no_grad()
def estimate_loss(model, x, y):
    model.eval()
    total = sum(model(xb, yb)[1].item() * len(xb) for xb, yb in zip(x.split(64), y.split(64)))
    model.train()
    return total / len(x)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)

    sentences = list(dict.fromkeys(make_text(2200, rng)))
    cut = int(0.9 * len(sentences))
    train_text, val_text = "".join(sentences[:cut]), "".join(sentences[cut:])
    vocab = sorted(set(train_text))
    stoi = {c: i for i, c in enumerate(vocab)}
    enc = lambda s: torch.tensor([stoi[c] for c in s])

    cfg = GPTConfig(vocab_size=len(vocab))
    xt, yt = blocks(enc(train_text), cfg.block_size)
    xv, yv = blocks(enc(val_text), cfg.block_size)
    model = GPT(cfg)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e3:.0f}k parameters, {len(xt)} blocks")

    max_iters, warmup, base_lr = 150, 20, 3e-3
    optimizer = torch.optim.AdamW(model.parameters(), lr=base_lr, weight_decay=0.01)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda it: min(
        (it + 1) / warmup, 0.1 + 0.45 * (1 + math.cos(math.pi * min(1.0, it / max_iters)))))

    it = 0
    while it < max_iters:
        for batch in torch.randperm(len(xt)).split(24):
            if it == max_iters:
                break
            _, loss = model(xt[batch], yt[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            it += 1
            if it % 30 == 0:
                print(f"iter {it}: train {loss.item():.4f}, val {estimate_loss(model, xv, yv):.4f}")

    model.eval()
    out = model.generate(enc("anna ")[None], 60, torch.Generator().manual_seed(args.seed))
    print("".join(vocab[i] for i in out[0].tolist()))


if __name__ == "__main__":
    main()
