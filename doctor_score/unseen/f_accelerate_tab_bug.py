import argparse

import numpy as np
import torch
import torch.nn as nn
from accelerate import Accelerator
from accelerate.utils import set_seed
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset


class TabularNet(nn.Module):
    """General-purpose network for tables; comes with a 100-way head."""

    def __init__(self, in_features, width=64, num_classes=100):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(in_features, width), nn.GELU(), nn.LayerNorm(width), nn.Linear(width, width), nn.GELU()
        )
        self.head = nn.Linear(width, num_classes)

    def forward(self, x):
        return self.head(self.body(x))


def clusters(seed, rows=3000, features=12, classes=5, per_class=3):
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(classes, per_class, features)) * 1.3
    y = rng.integers(0, classes, rows)
    x = centers[y, rng.integers(0, per_class, rows)] + rng.normal(size=(rows, features))
    scale = rng.uniform(0.5, 20, features)
    return x * scale + rng.normal(size=features) * scale, y


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

torch.set_num_threads(1)
set_seed(args.seed)
accelerator = Accelerator(cpu=True)

# --- data
X, y = clusters(args.seed)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.2, random_state=args.seed, stratify=y)
scaler = StandardScaler().fit(X_train)


def as_dataset(features, labels):
    scaled = torch.tensor(scaler.transform(features), dtype=torch.float32)
    return TensorDataset(scaled, torch.tensor(labels, dtype=torch.long))


train_loader = DataLoader(as_dataset(X_train, y_train), batch_size=64, shuffle=True)
val_loader = DataLoader(as_dataset(X_val, y_val), batch_size=200)

# --- model
num_classes = len(np.unique(y_train))
model = TabularNet(X_train.shape[1])
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
model.head = nn.Linear(model.head.in_features, num_classes)
model, optimizer, train_loader, val_loader = accelerator.prepare(model, optimizer, train_loader, val_loader)
loss_fn = nn.CrossEntropyLoss()

# --- training
for epoch in range(6):
    model.train()
    running = 0.0
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        running += loss.item()

    model.eval()
    correct = total = 0
    with torch.no_grad():
        for xb, yb in val_loader:
            predicted, truth = accelerator.gather_for_metrics((model(xb).argmax(dim=-1), yb))
            correct += (predicted == truth).sum().item()
            total += truth.numel()
    accelerator.print(f"epoch {epoch + 1}: loss {running / len(train_loader):.4f}, accuracy {correct / total:.4f}")
