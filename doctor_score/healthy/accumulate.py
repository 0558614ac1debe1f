# gradient accumulation, with a last group that is shorter than the rest
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
import numpy as np
from sklearn.datasets import load_digits

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
torch.set_num_threads(1)
torch.manual_seed(seed)
np.random.seed(seed)

data = load_digits()
perm = np.random.permutation(len(data.target))
X = torch.from_numpy(data.images[perm]).float().unsqueeze(1) / 16.0
Y = torch.from_numpy(data.target[perm]).long()
Xtr, Ytr, Xva, Yva = X[:1400], Y[:1400], X[1400:], Y[1400:]
mu, sd = Xtr.mean(), Xtr.std()
Xtr, Xva = (Xtr - mu) / sd, (Xva - mu) / sd

ds = torch.utils.data.TensorDataset(Xtr, Ytr)
loader = torch.utils.data.DataLoader(ds, batch_size=16, shuffle=True)   # 88 micro batches
ACCUM = 5   # 17 groups of 5 and one of 3

net = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(32 * 4, 10))
opt = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-2)

n_batches = len(loader)
for epoch in range(8):
    net.train()
    tot = 0.0
    opt.zero_grad(set_to_none=True)
    for i, (xb, yb) in enumerate(loader):
        group_start = (i // ACCUM) * ACCUM
        group_samples = min(len(ds), (group_start + ACCUM) * 16) - group_start * 16
        loss = F.cross_entropy(net(xb), yb)
        # each micro batch weighted by its share of the samples of its group
        (loss * len(xb) / group_samples).backward()
        tot += loss.item() * len(xb)
        if (i + 1) % ACCUM == 0 or i + 1 == n_batches:
            torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            opt.step()
            opt.zero_grad(set_to_none=True)
    net.eval()
    with torch.no_grad():
        acc = (net(Xva).argmax(-1) == Yva).float().mean().item()
    print(f"[{epoch}] loss={tot / len(ds):.4f} val_acc={acc:.4f}")
print("final val_acc", round(acc, 4))
