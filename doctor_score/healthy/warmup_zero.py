"""Linear warm-up starting at exactly lr 0 (so the first step moves nothing), then inverse sqrt."""
import argparse
import math
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset

WARMUP = 40


def lr_lambda(step):
    if step < WARMUP:
        return step / WARMUP
    return math.sqrt(WARMUP / step)


class RowAttention(nn.Module):
    """Digits as 8 rows of 8 pixels, one encoder layer, mean pooling."""

    def __init__(self, dim=32):
        super().__init__()
        self.embed = nn.Linear(8, dim)
        self.pos = nn.Parameter(torch.randn(1, 8, dim) * 0.02)
        self.enc = nn.TransformerEncoderLayer(dim, 4, 64, dropout=0.1, batch_first=True, norm_first=True)
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, 10)

    def forward(self, img):
        return self.out(self.norm(self.enc(self.embed(img) + self.pos)).mean(1))


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(args.seed)
    torch.manual_seed(args.seed)
    d = load_digits()
    order = rng.permutation(len(d.target))
    x = torch.tensor(d.images[order] / 8.0 - 1.0, dtype=torch.float32)
    y = torch.tensor(d.target[order])
    train_dl = DataLoader(TensorDataset(x[:1300], y[:1300]), batch_size=32, shuffle=True)
    val_dl = DataLoader(TensorDataset(x[1300:], y[1300:]), batch_size=128)

    model = RowAttention()
    opt = torch.optim.AdamW(model.parameters(), lr=4e-3)
    sched = LambdaLR(opt, lr_lambda)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(8):
        model.train()
        for xb, yb in train_dl:
            loss = loss_fn(model(xb), yb)
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            sched.step()
        model.eval()
        with torch.no_grad():
            acc = sum((model(a).argmax(1) == b).sum().item() for a, b in val_dl) / len(val_dl.dataset)
        print(f"epoch {epoch} lr {sched.get_last_lr()[0]:.2e} last loss {loss.item():.4f} val acc {acc:.4f}")
    print("final accuracy", acc)


if __name__ == "__main__":
    main()
