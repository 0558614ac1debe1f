"""Classification of a synthetic table in reduced precision (bfloat16)."""
import argparse
import math

import torch
import torch.nn.functional as F
from sklearn.datasets import make_classification
from torch import nn


class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.up = nn.Linear(dim, 2 * dim)
        self.down = nn.Linear(2 * dim, dim)

    def forward(self, x):
        return x + self.down(F.gelu(self.up(self.norm(x))))


class Net(nn.Module):
    def __init__(self, features, classes, dim=64, depth=2):
        super().__init__()
        self.stem = nn.Linear(features, dim)
        self.blocks = nn.Sequential(*[Block(dim) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.stem(x))))


def load(seed):
    x, y = make_classification(
        n_samples=4000, n_features=20, n_informative=12, n_redundant=4, n_classes=4, n_clusters_per_class=2,
        class_sep=1.6, random_state=seed,
    )
    x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y)
    x_train, x_test = x[:3200], x[3200:]
    mean, std = x_train.mean(0), x_train.std(0)
    return (x_train - mean) / std, y[:3200], (x_test - mean) / std, y[3200:]


def run(seed, epochs=8, batch=64, peak=0.01):
    torch.manual_seed(seed)
    x_train, y_train, x_test, y_test = load(seed)
    model = Net(x_train.shape[1], 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=peak, momentum=0.9, weight_decay=1e-4)
    steps = epochs * math.ceil(len(x_train) / batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)

    for epoch in range(epochs):
        model.train()
        total = 0.0
        for index in torch.randperm(len(x_train)).split(batch):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = model(x_train[index])
            loss = F.cross_entropy(logits.float(), y_train[index])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(index)
        model.eval()
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(x_test).float()
        accuracy = (logits.argmax(1) == y_test).float().mean().item()
        print(f"{epoch:2d}  train {total / len(x_train):.4f}  "
              f"valid {F.cross_entropy(logits, y_test).item():.4f}  acc {accuracy:.3f}")


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    torch.set_num_threads(1)
    run(p.parse_args().seed)
