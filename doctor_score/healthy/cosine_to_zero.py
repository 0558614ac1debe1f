"""Cosine annealing per step, reaching exactly zero with the last update."""
import argparse
import torch
import torch.nn as nn
import numpy as np
from sklearn.datasets import make_moons

torch.set_num_threads(1)
args = argparse.ArgumentParser()
args.add_argument("--seed", type=int, default=0)
args = args.parse_args()
torch.manual_seed(args.seed)

X, y = make_moons(1600, noise=0.15, random_state=args.seed)
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(y, dtype=torch.float32)
X_train, X_test, y_train, y_test = X[:1200], X[1200:], y[:1200], y[1200:]
m, s = X_train.mean(0), X_train.std(0)
X_train, X_test = (X_train - m) / s, (X_test - m) / s

model = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
TOTAL = 400
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=TOTAL, eta_min=0.0)
bce = nn.BCEWithLogitsLoss()

step = 0
while step < TOTAL:
    for idx in torch.randperm(len(X_train)).split(48):
        opt.zero_grad()
        loss = bce(model(X_train[idx]).squeeze(1), y_train[idx])
        loss.backward()
        opt.step()
        sched.step()
        step += 1
        if step % 50 == 0:
            print(f"step {step} loss {loss.item():.4f} lr {opt.param_groups[0]['lr']:.6f}")
        if step == TOTAL:
            break

model.eval()
with torch.no_grad():
    pred = (model(X_test).squeeze(1) > 0).float()
print(f"lr at end {opt.param_groups[0]['lr']:.1e}, test acc {(pred == y_test).float().mean().item():.4f}")
