"""nanoGPT in miniature, on a made-up log of a kitchen."""

import argparse
import math
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

# hyperparameters
batch_size = 20
block_size = 48
max_iters = 400
eval_interval = 40
learning_rate = 3e-3
n_embd = 64
n_head = 4
n_layer = 2
dropout = 0.1


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


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_fc = nn.Linear(n_embd, 4 * n_embd)
        self.c_proj = nn.Linear(4 * n_embd, n_embd)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        return self.dropout(self.c_proj(F.gelu(self.c_fc(x))))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1 = nn.LayerNorm(n_embd)
        self.attn = CausalSelfAttention()
        self.ln_2 = nn.LayerNorm(n_embd)
        self.mlp = MLP()

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        x = x + self.mlp(self.ln_2(x))
        return x


class GPT(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.wte = nn.Embedding(vocab_size, n_embd)
        self.wpe = nn.Embedding(block_size, n_embd)
        self.h = nn.Sequential(*[Block() for _ in range(n_layer)])
        self.ln_f = nn.LayerNorm(n_embd)
        self.lm_head = nn.Linear(n_embd, vocab_size, bias=False)
        self.apply(self._init_weights)
        self.lm_head.weight = self.wte.weight

    def _init_weights(self, module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            torch.nn.init.normal_(module.weight, mean=0.0, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            torch.nn.init.zeros_(module.bias)

    def forward(self, idx, targets=None):
        pos = torch.arange(idx.size(1), device=idx.device)
        x = self.ln_f(self.h(self.wte(idx) + self.wpe(pos)))
        logits = self.lm_head(x)
        loss = None
        if targets is not None:
            loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))
        return logits, loss

    @torch.no_grad()
    def generate(self, idx, max_new_tokens):
        for _ in range(max_new_tokens):
            logits, _ = self(idx[:, -block_size:])
            idx_next = torch.multinomial(F.softmax(logits[:, -1], dim=-1), num_samples=1)
            idx = torch.cat((idx, idx_next), dim=1)
        return idx


def kitchen_log(lines):
    cooks = "anna boris chiara deniz emil fatou".split()
    verbs = {"chops": "knife", "stirs": "spoon", "fries": "pan", "boils": "pot", "grates": "grater"}
    foods = "carrots onions leeks beets turnips beans lentils potatoes tomatoes mushrooms".split()
    times = "six seven eight nine ten noon".split()
    out = []
    for _ in range(lines):
        cook, verb = random.choice(cooks), random.choice(list(verbs))
        a, b = random.sample(foods, 2)
        out += f"at {random.choice(times)} {cook} {verb} {a} and {b} with the {verbs[verb]} ;".split()
        if random.random() < 0.5:
            out += f"then {cook} tastes the {a} ;".split()
    return out


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
torch.set_num_threads(1)
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)

words = kitchen_log(3000)
itos = sorted(set(words))
stoi = {w: i for i, w in enumerate(itos)}
data = torch.tensor([stoi[w] for w in words], dtype=torch.long)
n = int(0.9 * len(data))
train_data, val_data = data[:n], data[n:]


def get_batch():
    ix = torch.randint(len(train_data) - block_size, (batch_size,))
    x = torch.stack([train_data[i : i + block_size] for i in ix])
    y = torch.stack([train_data[i + 1 : i + block_size + 1] for i in ix])
    return x, y


@torch.no_grad()
def validate(model):
    model.eval()
    rows = (len(val_data) - 1) // block_size
    x = val_data[: rows * block_size].view(rows, block_size)
    y = val_data[1 : rows * block_size + 1].view(rows, block_size)
    _, loss = model(x, y)
    model.train()
    return loss.item()


model = GPT(len(itos))
optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
print(f"{len(itos)} words, ln of that is {math.log(len(itos)):.3f}")
for it in range(1, max_iters + 1):
    xb, yb = get_batch()
    _, loss = model(xb, yb)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    if it % eval_interval == 0:
        print(f"iter {it}: loss {loss.item():.4f}, val {validate(model):.4f}")

model.eval()
start = torch.tensor([[stoi["at"]]])
print(" ".join(itos[i] for i in model.generate(start, 60)[0].tolist()))
