"""Self-training: what the model is sure of joins the training set, round by round; a test set stays apart."""
import argparse

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
x, y = torch.tensor(digits.data).float()[order] / 16, torch.tensor(digits.target)[order]
labelled, unlabelled, test = slice(0, 200), slice(200, 1400), slice(1400, None)
model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10))
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
inputs, labels = x[labelled], y[labelled]
for rnd in range(4):
    loader = DataLoader(TensorDataset(inputs, labels), batch_size=32, shuffle=True)
    for _ in range(10):
        model.train()
        for xb, yb in loader:
            opt.zero_grad()
            F.cross_entropy(model(xb), yb).backward()
            opt.step()
    model.eval()
    with torch.no_grad():
        acc = (model(x[test]).argmax(1) == y[test]).float().mean().item()
        sure, guess = model(x[unlabelled]).softmax(1).max(1)
    chosen = sure > 0.9
    print(f"round {rnd}: {len(inputs)} samples, accuracy {acc:.4f}, {int(chosen.sum())} new labels")
    inputs = torch.cat([x[labelled], x[unlabelled][chosen]])
    labels = torch.cat([y[labelled], guess[chosen]])
