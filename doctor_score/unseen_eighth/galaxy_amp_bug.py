import argparse
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.amp import GradScaler, autocast

parser = argparse.ArgumentParser(description="galaxy shapes, automatic mixed precision")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=16)
parser.add_argument("--lr", type=float, default=0.02)
parser.add_argument("--max-grad-norm", type=float, default=1.0)
args = parser.parse_args()

torch.manual_seed(args.seed)
device = "cuda" if torch.cuda.is_available() else "cpu"


def render(n, size=20):
    """0 elliptical, 1 edge-on disk, 2 two-armed spiral, 3 ring"""
    kind = torch.randint(0, 4, (n,))
    ax = torch.linspace(-1, 1, size)
    gy, gx = torch.meshgrid(ax, ax, indexing="ij")
    cx, cy, ang = 0.15 * torch.randn(n, 1, 1), 0.15 * torch.randn(n, 1, 1), 6.2832 * torch.rand(n, 1, 1)
    u = (gx - cx) * ang.cos() + (gy - cy) * ang.sin()
    v = -(gx - cx) * ang.sin() + (gy - cy) * ang.cos()
    r, th = (u**2 + v**2).sqrt(), torch.atan2(v, u)
    pics = torch.stack([
        torch.exp(-((u / 0.45) ** 2 + (v / 0.32) ** 2)),
        torch.exp(-((u / 0.6) ** 2 + (v / 0.10) ** 2)),
        torch.exp(-((r / 0.55) ** 2)) * (0.5 + 0.5 * torch.cos(2 * th - 7 * r)),
        torch.exp(-(((r - 0.5) / 0.15) ** 2)),
    ], 1)
    img = pics[torch.arange(n), kind] + 0.30 * torch.randn(n, size, size)
    return ((img - 0.22) / 0.40).unsqueeze(1), kind


x_train, y_train = render(2560)
x_val, y_val = render(640)
x_train, y_train, x_val, y_val = (a.to(device) for a in (x_train, y_train, x_val, y_val))

model = nn.Sequential(
    nn.Conv2d(1, 12, 3, stride=2, padding=1), nn.ReLU(),
    nn.Conv2d(12, 24, 3, stride=2, padding=1), nn.ReLU(),
    nn.Flatten(),
    nn.Linear(24 * 5 * 5, 64), nn.ReLU(),
    nn.Linear(64, 4),
).to(device)

optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, weight_decay=1e-4)
scaler = GradScaler(device, init_scale=2.0**14)

start = time.time()
for epoch in range(args.epochs):
    model.train()
    running = 0.0
    for idx in torch.randperm(len(x_train), device=device).split(64):
        optimizer.zero_grad(set_to_none=True)
        with autocast(device, dtype=torch.float16):
            logits = model(x_train[idx])
            loss = F.cross_entropy(logits, y_train[idx])
        scaler.scale(loss).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), args.max_grad_norm)
        scaler.step(optimizer)
        scaler.update()
        running += loss.item() * len(idx)

    model.eval()
    with torch.no_grad(), autocast(device, dtype=torch.float16):
        val_logits = model(x_val)
    val_acc = (val_logits.argmax(1) == y_val).float().mean().item()
    val_loss = F.cross_entropy(val_logits.float(), y_val).item()
    print(f"epoch {epoch:2d}  train {running / len(x_train):.4f}  val {val_loss:.4f}  acc {val_acc:.3f}  scale {scaler.get_scale():.0f}")

print(f"done in {time.time() - start:.1f}s")
