"""Cross-validation: in each fold a new model, optimizer and cosine schedule, and the best weights at the end."""
import argparse
import copy

import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

torch.set_num_threads(1)
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

X, y = load_breast_cancer(return_X_y=True)
EPOCHS = 6
scores = []
for fold, (tr, va) in enumerate(StratifiedKFold(5, shuffle=True, random_state=args.seed).split(X, y)):
    mean, std = X[tr].mean(0), X[tr].std(0)
    data = TensorDataset(torch.tensor((X - mean) / std).float(), torch.tensor(y).float())
    train = DataLoader(Subset(data, tr.tolist()), batch_size=16, shuffle=True)
    val = DataLoader(Subset(data, va.tolist()), batch_size=64)
    model = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 1))
    opt = torch.optim.AdamW(model.parameters(), lr=3e-3)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, EPOCHS * len(train))
    best, best_state = float("inf"), None
    for epoch in range(EPOCHS):
        model.train()
        for xb, yb in train:
            opt.zero_grad()
            F.binary_cross_entropy_with_logits(model(xb).squeeze(1), yb).backward()
            opt.step()
            sched.step()
        model.eval()
        with torch.no_grad():
            losses = [F.binary_cross_entropy_with_logits(model(xb).squeeze(1), yb, reduction="sum") for xb, yb in val]
        loss = sum(losses).item() / len(va)
        if loss < best:
            best, best_state = loss, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_state)
    with torch.no_grad():
        hits = sum(((model(xb).squeeze(1) > 0) == yb.bool()).sum().item() for xb, yb in val)
    scores.append(hits / len(va))
    print(f"fold {fold}: loss {best:.4f}, accuracy {scores[-1]:.4f}")
print(f"mean accuracy {sum(scores) / len(scores):.4f}")
