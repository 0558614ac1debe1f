"""fp16 autocast + GradScaler on CPU. The initial scale is deliberately generous, so the first
few steps overflow, are skipped, and the scale is halved until it fits."""
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
opt_ = p.parse_args()
torch.set_num_threads(1)
torch.manual_seed(opt_.seed)

digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32) / 16
y = torch.tensor(digits.target)
perm = torch.randperm(len(y))
tr, va = perm[:1400], perm[1400:]
mean, std = x[tr].mean(), x[tr].std()
x = (x - mean) / std

model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0 ** 22, growth_interval=200)

skipped = 0
for epoch in range(8):
    model.train()
    total = 0.0
    for b in tr[torch.randperm(len(tr))].split(50):
        opt.zero_grad()
        with torch.autocast("cpu", dtype=torch.float16):
            out = model(x[b])
            loss = F.cross_entropy(out.float(), y[b])
        before = scaler.get_scale()
        scaler.scale(loss).backward()
        scaler.unscale_(opt)
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        scaler.step(opt)
        scaler.update()
        skipped += scaler.get_scale() < before
        total += loss.item() * len(b)
    print(f"epoch {epoch} loss {total / len(tr):.4f} scale {scaler.get_scale():.0f} skipped so far {skipped}")

model.eval()
with torch.no_grad():
    acc = (model(x[va]).argmax(1) == y[va]).float().mean().item()
print(f"val accuracy {acc:.4f}")
