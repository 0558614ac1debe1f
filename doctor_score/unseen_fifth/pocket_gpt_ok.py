# pocket gpt: a one-file character transformer. no dependencies except torch.
# usage: python pocket_gpt.py --seed 1
import argparse
import math
import random

import torch
import torch.nn as nn
import torch.nn.functional as F

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
ap.add_argument("--iters", type=int, default=600)
ap.add_argument("--batch", type=int, default=24)
ap.add_argument("--ctx", type=int, default=48)
ap.add_argument("--dim", type=int, default=64)
ap.add_argument("--heads", type=int, default=4)
ap.add_argument("--layers", type=int, default=2)
cfg = ap.parse_args()
torch.set_num_threads(1)
random.seed(cfg.seed)
torch.manual_seed(cfg.seed)

# --- corpus: endless small talk of a harbour -------------------------------
who = ["the captain", "a sailor", "the old cook", "my sister", "the pilot", "nobody"]
verb = ["saw", "painted", "sold", "repaired", "forgot", "counted"]
what = ["the boat", "seven ropes", "a lantern", "the harbour", "two gulls", "an anchor"]
when = ["at dawn", "last winter", "after supper", "in the rain", "on monday"]


def sentence():
    s = f"{random.choice(who)} {random.choice(verb)} {random.choice(what)}"
    if random.random() < 0.5:
        s += " " + random.choice(when)
    return s + random.choice([".", ".", "!"]) + " "


text = "".join(sentence() for _ in range(4000))
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
data = torch.tensor([stoi[c] for c in text])
n = int(0.9 * len(data))
splits = {"train": data[:n], "val": data[n:]}
print(f"{len(data)} characters, {len(chars)} of them distinct")


def get_batch(split, generator=None):
    d = splits[split]
    ix = torch.randint(len(d) - cfg.ctx - 1, (cfg.batch,), generator=generator).tolist()
    x = torch.stack([d[i:i + cfg.ctx] for i in ix])
    y = torch.stack([d[i + 1:i + 1 + cfg.ctx] for i in ix])
    return x, y


# --- model -----------------------------------------------------------------
class Block(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.ln1, self.ln2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))

    def forward(self, x):
        B, T, D = x.shape
        q, k, v = self.qkv(self.ln1(x)).view(B, T, 3, self.h, D // self.h).permute(2, 0, 3, 1, 4)
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(a.transpose(1, 2).reshape(B, T, D))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self, vocab):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocab, cfg.dim), nn.Embedding(cfg.ctx, cfg.dim)
        self.blocks = nn.ModuleList(Block(cfg.dim, cfg.heads) for _ in range(cfg.layers))
        self.ln = nn.LayerNorm(cfg.dim)
        self.head = nn.Linear(cfg.dim, vocab, bias=False)
        self.apply(self.init)
        self.head.weight = self.tok.weight  # input and output embedding are the same matrix

    @staticmethod
    def init(m):
        if isinstance(m, (nn.Linear, nn.Embedding)):
            nn.init.normal_(m.weight, std=0.02)
        if isinstance(m, nn.Linear) and m.bias is not None:
            nn.init.zeros_(m.bias)

    def forward(self, idx, targets=None):
        x = self.tok(idx) + self.pos(torch.arange(idx.shape[1]))
        for b in self.blocks:
            x = b(x)
        logits = self.head(self.ln(x))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten())


model = GPT(len(chars))
decay = [p for p in model.parameters() if p.dim() >= 2]
rest = [p for p in model.parameters() if p.dim() < 2]
opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.1},
                         {"params": rest, "weight_decay": 0.0}], lr=3e-3, betas=(0.9, 0.99))


def lr_at(it, warmup=40, peak=3e-3, floor=3e-4):
    if it < warmup:
        return peak * (it + 1) / warmup
    return floor + 0.5 * (peak - floor) * (1 + math.cos(math.pi * (it - warmup) / (cfg.iters - warmup)))


@torch.no_grad()
def val_loss(batches=12):
    g = torch.Generator().manual_seed(1234)  # the same windows each time
    model.eval()
    total = sum(model(*get_batch("val", g))[1].item() for _ in range(batches))
    model.train()
    return total / batches


@torch.no_grad()
def sample(prompt, length=80):
    idx = torch.tensor([[stoi[c] for c in prompt]])
    for _ in range(length):
        logits, _ = model(idx[:, -cfg.ctx:])
        idx = torch.cat([idx, torch.multinomial(F.softmax(logits[:, -1], -1), 1)], 1)
    return "".join(chars[i] for i in idx[0].tolist())


for it in range(cfg.iters):
    for g in opt.param_groups:
        g["lr"] = lr_at(it)
    _, loss = model(*get_batch("train"))
    opt.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    opt.step()
    if it % 100 == 0 or it == cfg.iters - 1:
        print(f"iter {it:4d}  train {loss.item():.4f}  val {val_loss():.4f}")

print("sample:", sample("the "))
print(f"final val loss {val_loss():.4f} nats per character")
