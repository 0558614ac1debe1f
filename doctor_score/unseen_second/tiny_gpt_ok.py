"""
A small character-level GPT in one file.
"""
import argparse
import itertools
import math
import random

import torch
import torch.nn as nn
from torch.nn import functional as F

# -----------------------------------------------------------------------------
block_size = 48
batch_size = 24
n_layer = 2
n_head = 4
n_embd = 64
dropout = 0.05
max_iters = 180
eval_interval = 45
learning_rate = 3e-3
# -----------------------------------------------------------------------------
ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
random.seed(seed)
torch.manual_seed(seed)
torch.set_num_threads(1)

who = ["the cat", "a dog", "the old man", "my sister", "the king", "a bird", "the teacher"]
does = ["sees", "likes", "follows", "paints", "forgets", "finds", "calls"]
what = ["a house", "the river", "some bread", "a green boat", "the moon", "an apple", "the city"]
when = ["today", "at night", "in spring", "every day", "after lunch"]
lines = [" ".join(parts) + "." for parts in itertools.product(who, does, what, when)]
random.shuffle(lines)
text = "\n".join(lines)

chars = sorted(set(text))
vocab_size = len(chars)
stoi = {c: i for i, c in enumerate(chars)}
data = torch.tensor([stoi[c] for c in text])
n = int(0.9 * len(data))
train_data, val_data = data[:n], data[n:]


def get_batch():
    ix = torch.randint(len(train_data) - block_size, (batch_size,))
    x = torch.stack([train_data[i : i + block_size] for i in ix])
    y = torch.stack([train_data[i + 1 : i + block_size + 1] for i in ix])
    return x, y


class CausalSelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_attn = nn.Linear(n_embd, 3 * n_embd)
        self.c_proj = nn.Linear(n_embd, n_embd)
        self.resid_dropout = nn.Dropout(dropout)

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.c_attn(x).split(n_embd, dim=2)
        q = q.view(B, T, n_head, C // n_head).transpose(1, 2)
        k = k.view(B, T, n_head, C // n_head).transpose(1, 2)
        v = v.view(B, T, n_head, C // n_head).transpose(1, 2)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        y = y.transpose(1, 2).contiguous().view(B, T, C)
        return self.resid_dropout(self.c_proj(y))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1 = nn.LayerNorm(n_embd)
        self.attn = CausalSelfAttention()
        self.ln_2 = nn.LayerNorm(n_embd)
        self.mlp = nn.Sequential(
            nn.Linear(n_embd, 4 * n_embd), nn.GELU(), nn.Linear(4 * n_embd, n_embd), nn.Dropout(dropout)
        )

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(vocab_size, n_embd)
        self.wpe = nn.Embedding(block_size, n_embd)
        self.h = nn.ModuleList(Block() for _ in range(n_layer))
        self.ln_f = nn.LayerNorm(n_embd)
        self.lm_head = nn.Linear(n_embd, vocab_size, bias=False)
        self.apply(self._init_weights)

    def _init_weights(self, module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, mean=0.0, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, idx, targets=None):
        x = self.wte(idx) + self.wpe(torch.arange(idx.size(1)))
        for block in self.h:
            x = block(x)
        logits = self.lm_head(self.ln_f(x))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.view(-1, vocab_size), targets.view(-1))

    @torch.no_grad()
    def generate(self, idx, n_new):
        for _ in range(n_new):
            logits, _ = self(idx[:, -block_size:])
            probs = F.softmax(logits[:, -1], dim=-1)
            idx = torch.cat([idx, torch.multinomial(probs, 1)], dim=1)
        return idx


@torch.no_grad()
def val_loss(model):
    model.eval()
    m = (len(val_data) - 1) // block_size
    x = val_data[: m * block_size].view(m, block_size)
    y = val_data[1 : m * block_size + 1].view(m, block_size)
    total = 0.0
    for xb, yb in zip(x.split(64), y.split(64)):
        total += model(xb, yb)[1].item() * len(xb)
    model.train()
    return total / m


model = GPT()
print(f"{sum(p.numel() for p in model.parameters()) / 1e3:.1f}k parameters, uniform loss {math.log(vocab_size):.3f}")
optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.01)
model.train()
for it in range(max_iters):
    xb, yb = get_batch()
    _, loss = model(xb, yb)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if it % eval_interval == 0 or it == max_iters - 1:
        print(f"step {it}: train loss {loss.item():.4f}, val loss {val_loss(model):.4f}")

model.eval()
out = model.generate(torch.tensor([[stoi["t"]]]), 80)[0].tolist()
print("".join(chars[i] for i in out))
