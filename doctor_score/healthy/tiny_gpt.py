"""Character-level GPT with tied input/output embeddings."""
import argparse
import torch
import torch.nn as nn
from torch.nn import functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
cfg = parser.parse_args()
torch.set_num_threads(1)
torch.manual_seed(cfg.seed)

block_size, n_embd, n_head, n_layer, batch = 32, 48, 4, 2, 24

# a toy grammar: random sentences from a small vocabulary
det = ["the", "a", "my", "her", "one", "that"]
adj = ["old", "red", "quiet", "small", "bright", "lost", "warm", "strange", "green", "tired"]
noun = ["cat", "dog", "aunt", "river", "house", "moon", "bread", "ship", "song", "bird", "friend", "window"]
verb = ["sees", "likes", "follows", "paints", "forgets", "hears", "finds", "leaves"]
g = torch.Generator().manual_seed(cfg.seed)
pick = lambda words: words[int(torch.randint(len(words), (), generator=g))]
phrase = lambda: f"{pick(det)} {pick(adj)} {pick(noun)}"
text = " ".join(f"{phrase()} {pick(verb)} {phrase()}." for _ in range(1500))
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
data = torch.tensor([stoi[c] for c in text])
n = int(0.9 * len(data))
train_data, val_data = data[:n], data[n:]


def get_batch(src):
    ix = torch.randint(len(src) - block_size - 1, (batch,))
    return (torch.stack([src[i:i + block_size] for i in ix]),
            torch.stack([src[i + 1:i + 1 + block_size] for i in ix]))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)
        self.qkv, self.proj = nn.Linear(n_embd, 3 * n_embd), nn.Linear(n_embd, n_embd)
        self.mlp = nn.Sequential(nn.Linear(n_embd, 4 * n_embd), nn.GELU(), nn.Linear(4 * n_embd, n_embd))

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = (t.view(B, T, n_head, C // n_head).transpose(1, 2) for t in self.qkv(self.ln1(x)).chunk(3, -1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).reshape(B, T, C))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self, vocab):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocab, n_embd), nn.Embedding(block_size, n_embd)
        self.blocks = nn.Sequential(*[Block() for _ in range(n_layer)])
        self.ln_f = nn.LayerNorm(n_embd)
        self.head = nn.Linear(n_embd, vocab, bias=False)
        for m in self.modules():
            if isinstance(m, (nn.Linear, nn.Embedding)):
                nn.init.normal_(m.weight, std=0.02)
            if isinstance(m, nn.Linear) and m.bias is not None:
                nn.init.zeros_(m.bias)
        self.head.weight = self.tok.weight

    def forward(self, idx, targets=None):
        x = self.tok(idx) + self.pos(torch.arange(idx.size(1)))
        logits = self.head(self.ln_f(self.blocks(x)))
        loss = None if targets is None else F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        return logits, loss


model = GPT(len(chars))
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.1)
for it in range(200):
    xb, yb = get_batch(train_data)
    _, loss = model(xb, yb)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if (it + 1) % 50 == 0:
        model.eval()
        with torch.no_grad():
            val = sum(model(*get_batch(val_data))[1].item() for _ in range(4)) / 4
        model.train()
        print(f"iter {it + 1}: train {loss.item():.3f} val {val:.3f}")
print(f"final val loss {val:.4f} (uniform {torch.log(torch.tensor(float(len(chars)))).item():.3f})")
