"""
A GPT in one file, trained on little expressions such as  (a[b]{c}) . It has to learn which
bracket must be closed next. No dependencies but torch.
"""
import argparse
import math
import random

import numpy as np
import torch
import torch.nn as nn
from torch.nn import functional as F

# hyperparameters
block_size = 48
batch_size = 24
max_iters = 700
eval_interval = 100
learning_rate = 2e-3
n_embd, n_head, n_layer = 64, 4, 2
# ------------

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)
torch.set_num_threads(1)

PAIRS = {"(": ")", "[": "]", "{": "}"}


def expression(rng, depth):
    if depth == 0 or rng.random() < 0.25:
        return rng.choice("abcdef")
    left = rng.choice("([{")
    return left + "".join(expression(rng, depth - 1) for _ in range(rng.randint(1, 3))) + PAIRS[left]


def well_formed(text):
    stack = []
    for c in text:
        if c in PAIRS:
            stack.append(PAIRS[c])
        elif c in PAIRS.values():
            if not stack or stack.pop() != c:
                return False
    return not stack


text = "\n".join(expression(random, 3) for _ in range(6000))
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
vocab_size = len(chars)
data = torch.tensor([stoi[c] for c in text])
n = int(0.9 * len(data))
train_data, val_data = data[:n], data[n:]


def get_batch(split, generator=None):
    d = train_data if split == "train" else val_data
    ix = torch.randint(len(d) - block_size - 1, (batch_size,), generator=generator)
    x = torch.stack([d[i:i + block_size] for i in ix])
    y = torch.stack([d[i + 1:i + block_size + 1] for i in ix])
    return x, y


class CausalSelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_attn = nn.Linear(n_embd, 3 * n_embd)
        self.c_proj = nn.Linear(n_embd, n_embd)
        mask = torch.tril(torch.ones(block_size, block_size))
        self.register_buffer("mask", mask.view(1, 1, block_size, block_size))

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.c_attn(x).split(n_embd, dim=2)
        q = q.view(B, T, n_head, C // n_head).transpose(1, 2)
        k = k.view(B, T, n_head, C // n_head).transpose(1, 2)
        v = v.view(B, T, n_head, C // n_head).transpose(1, 2)
        att = (q @ k.transpose(-2, -1)) / math.sqrt(k.size(-1))
        att = att.masked_fill(self.mask[:, :, :T, :T] == 0, float("-inf"))
        att = F.softmax(att, dim=-1)
        y = (att @ v).transpose(1, 2).contiguous().view(B, T, C)
        return self.c_proj(y)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)
        self.attn = CausalSelfAttention()
        self.mlp = nn.Sequential(nn.Linear(n_embd, 4 * n_embd), nn.GELU(), nn.Linear(4 * n_embd, n_embd))

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(vocab_size, n_embd)
        self.wpe = nn.Embedding(block_size, n_embd)
        self.blocks = nn.Sequential(*[Block() for _ in range(n_layer)])
        self.ln_f = nn.LayerNorm(n_embd)
        self.lm_head = nn.Linear(n_embd, vocab_size)

    def forward(self, idx, targets=None):
        x = self.wte(idx) + self.wpe(torch.arange(idx.size(1)))
        logits = self.lm_head(self.ln_f(self.blocks(x)))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.view(-1, vocab_size), targets.view(-1))

    @torch.no_grad()
    def generate(self, idx, new_tokens, generator):
        for _ in range(new_tokens):
            logits, _ = self(idx[:, -block_size:])
            probs = F.softmax(logits[:, -1, :], dim=-1)
            idx = torch.cat([idx, torch.multinomial(probs, 1, generator=generator)], dim=1)
        return idx


model = GPT()
print(sum(p.numel() for p in model.parameters()), "parameters,", vocab_size, "characters")
optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)


@torch.no_grad()
def evaluate():
    model.eval()
    g = torch.Generator().manual_seed(1234)
    val = np.mean([model(*get_batch("val", g))[1].item() for _ in range(20)])
    start = torch.full((40, 1), stoi["\n"])
    samples = ["".join(chars[i] for i in row) for row in model.generate(start, 45, g).tolist()]
    # the first line of every sample, the rest may be cut off
    firsts = [s[1:].split("\n")[0] for s in samples if "\n" in s[1:]]
    good = sum(len(f) > 0 and well_formed(f) for f in firsts) / max(1, len(firsts))
    model.train()
    return val, good, samples[0][1:25]


for it in range(1, max_iters + 1):
    xb, yb = get_batch("train")
    _, loss = model(xb, yb)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    if it % eval_interval == 0:
        val, good, sample = evaluate()
        print(f"step {it}: train loss {loss.item():.4f}, val loss {val:.4f}, well-formed {good:.2f}, {sample!r}")
