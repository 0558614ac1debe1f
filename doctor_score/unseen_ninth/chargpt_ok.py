"""A small character-level GPT."""
import math
import random

import torch
import torch.nn as nn
from torch.nn import functional as F

torch.manual_seed(1337)
random.seed(1337)

batch_size = 24
block_size = 64
max_iters = 500
eval_interval = 100
learning_rate = 2e-3
n_embd, n_head, n_layer = 64, 4, 2

names = ["anna", "boris", "clara", "david", "emma", "felix", "greta", "henry"]
verbs = ["sees", "likes", "paints", "finds", "sells", "wants", "keeps", "draws"]
things = ["the red house", "a small boat", "the old tree", "a green bird", "the tall ship", "some fresh bread",
          "her new bike", "the blue lamp", "two wooden chairs", "a warm coat"]
sentences = {f"{a} {b} {c}." for a in names for b in verbs for c in things}
pool = sorted(sentences)
text = " ".join(random.choice(pool) for _ in range(6000))

chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
itos = {i: c for i, c in enumerate(chars)}
encode = lambda s: [stoi[c] for c in s]
decode = lambda l: "".join(itos[i] for i in l)
data = torch.tensor(encode(text), dtype=torch.long)
n = int(0.9 * len(data))
train_data, val_data = data[:n], data[n:]


def get_windows(d, ix):
    x = torch.stack([d[i:i + block_size] for i in ix])
    y = torch.stack([d[i + 1:i + block_size + 1] for i in ix])
    return x, y


@torch.no_grad()
def estimate_loss():
    model.eval()
    total, count = 0.0, 0
    for ix in torch.arange(0, len(val_data) - block_size, block_size).split(64):
        X, Y = get_windows(val_data, ix)
        _, loss = model(X, Y)
        total += loss.item() * Y.numel()
        count += Y.numel()
    model.train()
    return total / count


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(n_embd, 3 * n_embd, bias=False)
        self.proj = nn.Linear(n_embd, n_embd)
        mask = torch.tril(torch.ones(block_size, block_size, dtype=torch.bool))
        self.register_buffer("mask", mask)

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = self.qkv(x).split(n_embd, dim=2)
        q, k, v = (t.view(B, T, n_head, C // n_head).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=self.mask[:T, :T])
        return self.proj(y.transpose(1, 2).reshape(B, T, C))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)
        self.attn = SelfAttention()
        self.mlp = nn.Sequential(nn.Linear(n_embd, 4 * n_embd), nn.GELU(), nn.Linear(4 * n_embd, n_embd))

    def forward(self, x):
        x = x + self.attn(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(len(chars), n_embd)
        self.pos = nn.Embedding(block_size, n_embd)
        self.blocks = nn.Sequential(*[Block() for _ in range(n_layer)])
        self.ln_f = nn.LayerNorm(n_embd)
        self.head = nn.Linear(n_embd, len(chars), bias=False)
        self.apply(self._init)

    def _init(self, m):
        if isinstance(m, (nn.Linear, nn.Embedding)):
            nn.init.normal_(m.weight, std=0.02)
        if isinstance(m, nn.Linear) and m.bias is not None:
            nn.init.zeros_(m.bias)

    def forward(self, idx, targets=None):
        x = self.tok(idx) + self.pos(torch.arange(idx.shape[1]))
        logits = self.head(self.ln_f(self.blocks(x)))
        loss = None
        if targets is not None:
            loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))
        return logits, loss

    @torch.no_grad()
    def generate(self, idx, n_new):
        for _ in range(n_new):
            logits, _ = self(idx[:, -block_size:])
            probs = F.softmax(logits[:, -1] / 0.8, dim=-1)
            idx = torch.cat([idx, torch.multinomial(probs, 1)], dim=1)
        return idx


def lr_at(it, warmup=30):
    if it < warmup:
        return learning_rate * (it + 1) / warmup
    return 0.1 * learning_rate + 0.45 * learning_rate * (1 + math.cos(math.pi * (it - warmup) / (max_iters - warmup)))


model = GPT()
optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.01)

for it in range(max_iters):
    for g in optimizer.param_groups:
        g["lr"] = lr_at(it)
    xb, yb = get_windows(train_data, torch.randint(len(train_data) - block_size, (batch_size,)))
    _, loss = model(xb, yb)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if (it + 1) % eval_interval == 0:
        print(f"step {it + 1}: train loss {loss.item():.4f}, val loss {estimate_loss():.4f}")

model.eval()
prompt = torch.tensor([encode("anna sees the red house. ")] * 8)
sample = [decode(row.tolist()) for row in model.generate(prompt, 160)]
print(sample[0])
made = [s.strip() + "." for row in sample for s in row.split(".")[1:-1]]
print(f"well-formed sentences: {sum(s in sentences for s in made)}/{len(made)}")
