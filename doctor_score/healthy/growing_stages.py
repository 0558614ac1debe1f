"""Progressive resizing: three stages, a new optimizer and schedule in each, the best weights put back in between."""
import argparse
import os
import tempfile

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

digits = load_digits()
order = torch.randperm(len(digits.target))
x, y = torch.tensor(digits.images).float().unsqueeze(1)[order] / 16, torch.tensor(digits.target)[order]
model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1),
    nn.BatchNorm2d(16),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(2),
    nn.Flatten(),
    nn.Linear(64, 10),
)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "best.pt")
    for stage, size in enumerate((8, 12, 16)):
        images = F.interpolate(x, size=size, mode="bilinear", align_corners=False)
        train = DataLoader(TensorDataset(images[:1400], y[:1400]), batch_size=64, shuffle=True)
        val = DataLoader(TensorDataset(images[1400:], y[1400:]), batch_size=128)
        opt = torch.optim.AdamW(model.parameters(), lr=5e-3 / 2**stage)
        sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 5 * len(train))
        best = 0
        for epoch in range(5):
            model.train()
            for xb, yb in train:
                opt.zero_grad()
                F.cross_entropy(model(xb), yb).backward()
                opt.step()
                sched.step()
            model.eval()
            with torch.no_grad():
                acc = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in val) / 397
            if acc > best:
                best = acc
                torch.save(model.state_dict(), path)
            print(f"stage {stage} epoch {epoch}: {acc:.4f}")
        model.load_state_dict(torch.load(path))
