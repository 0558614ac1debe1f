"""Fine-tune a small conv net with its BatchNorm layers kept in eval (batches are small,
so the statistics gathered in pretraining are used instead)."""
import argparse

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split


class ConvNet(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True),
            nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.1))
        self.fc = nn.Linear(128, classes)

    def forward(self, x):
        return self.fc(self.body(x))


def freeze_bn_stats(model):
    for m in model.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.eval()


def run_epoch(model, loader, opt, loss_fn, keep_bn_eval):
    model.train()
    if keep_bn_eval:
        freeze_bn_stats(model)
    total, n = 0.0, 0
    for x, y in loader:
        opt.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        opt.step()
        total += loss.item() * y.size(0)
        n += y.size(0)
    return total / n


def test(model, loader):
    model.eval()
    hits = n = 0
    with torch.no_grad():
        for x, y in loader:
            hits += (model(x).argmax(1) == y).sum().item()
            n += y.size(0)
    return hits / n


def main(seed):
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    np.random.seed(seed)
    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 8.0 - 1.0
    full = TensorDataset(x, torch.tensor(digits.target))
    pre, fine, held = random_split(full, [900, 500, len(full) - 1400])
    loss_fn = nn.CrossEntropyLoss()
    model = ConvNet()
    opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    pre_loader = DataLoader(pre, batch_size=64, shuffle=True, drop_last=True)
    held_loader = DataLoader(held, batch_size=128)
    for ep in range(4):
        print("pretrain", ep, round(run_epoch(model, pre_loader, opt, loss_fn, False), 4))
    print("held-out accuracy after pretraining", round(test(model, held_loader), 4))

    opt = torch.optim.SGD(model.parameters(), lr=0.003, momentum=0.9)
    fine_loader = DataLoader(fine, batch_size=8, shuffle=True)
    for ep in range(5):
        print("finetune", ep, round(run_epoch(model, fine_loader, opt, loss_fn, True), 4))
    print("held-out accuracy", round(test(model, held_loader), 4))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args().seed)
