"""Cross-validation with one model whose first weights are put back before each fold."""
import argparse
import copy

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, SubsetRandomSampler, TensorDataset

torch.set_num_threads(1)
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

digits = load_digits()
data = TensorDataset(torch.tensor(digits.images).float().unsqueeze(1) / 16, torch.tensor(digits.target))
model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 10)
)
first_weights = copy.deepcopy(model.state_dict())
folds = torch.randperm(len(data)).chunk(4)
for k in range(4):
    model.load_state_dict(first_weights)
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    rest = torch.cat([fold for j, fold in enumerate(folds) if j != k])
    train = DataLoader(data, batch_size=32, sampler=SubsetRandomSampler(rest.tolist()))
    val = DataLoader(data, batch_size=128, sampler=SubsetRandomSampler(folds[k].tolist()))
    for epoch in range(3):
        model.train()
        for xb, yb in train:
            opt.zero_grad()
            F.cross_entropy(model(xb), yb).backward()
            opt.step()
        model.eval()
        with torch.no_grad():
            hits = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in val)
        print(f"fold {k} epoch {epoch}: {hits / len(folds[k]):.4f}")
