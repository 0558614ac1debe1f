import argparse
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, random_split

# One vibration window, three questions: which fault (4 classes), how severe (regression), which motor (3 classes)
TASKS = {"fault": 4, "severity": 1, "motor": 3}


def synthesize(n, g):
    t = torch.arange(96).float()
    fault = torch.randint(0, 4, (n,), generator=g)
    motor = torch.randint(0, 3, (n,), generator=g)
    severity = torch.rand(n, generator=g)
    base = torch.tensor([0.10, 0.14, 0.19])[motor].unsqueeze(1)
    ph = 2 * math.pi * torch.rand(n, 2, generator=g)
    rot = torch.sin(2 * math.pi * base * t + ph[:, :1])
    ratio = torch.tensor([0.0, 2.0, 2.6, 0.5])[fault].unsqueeze(1)
    strength = (fault > 0).float().unsqueeze(1) * (0.5 + 1.0 * severity.unsqueeze(1))
    x = rot + strength * torch.sin(2 * math.pi * base * ratio * t + ph[:, 1:])
    x = x + 0.25 * torch.randn(n, 96, generator=g)
    severity = torch.where(fault > 0, severity - 0.5, torch.zeros(n) - 0.75)
    return x.unsqueeze(1), fault, severity / 0.45, motor


class MultiTaskNet(nn.Module):
    def __init__(self, tasks, width=64):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv1d(1, 24, 9, stride=2, padding=4), nn.ReLU(),
            nn.Conv1d(24, 32, 7, stride=2, padding=3), nn.ReLU(),
            nn.Conv1d(32, 32, 5, padding=2), nn.ReLU(),
            nn.AdaptiveAvgPool1d(4), nn.Flatten(),
            nn.Linear(128, width), nn.ReLU(),
        )
        self.heads = {name: nn.Sequential(nn.Linear(width, 24), nn.ReLU(), nn.Linear(24, k))
                      for name, k in tasks.items()}

    def forward(self, x):
        z = self.trunk(x)
        return {name: head(z) for name, head in self.heads.items()}


class Trainer:
    def __init__(self, model, train_set, val_set, *, lr=2e-3, batch_size=64, epochs=12):
        self.model = model
        self.epochs = epochs
        self.train_loader = DataLoader(train_set, batch_size=batch_size, shuffle=True, drop_last=True)
        self.val_loader = DataLoader(val_set, batch_size=200)
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=1e-3)
        self.scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, T_max=epochs)

    @staticmethod
    def losses(out, fault, severity, motor):
        return {
            "fault": F.cross_entropy(out["fault"], fault),
            "severity": F.mse_loss(out["severity"].squeeze(1), severity),
            "motor": F.cross_entropy(out["motor"], motor),
        }

    def train_one_epoch(self):
        self.model.train()
        total = 0.0
        for x, *targets in self.train_loader:
            self.optimizer.zero_grad()
            loss = sum(self.losses(self.model(x), *targets).values())
            loss.backward()
            self.optimizer.step()
            total += loss.item()
        self.scheduler.step()
        return total / len(self.train_loader)

    @torch.no_grad()
    def validate(self):
        self.model.eval()
        hit_f = hit_m = se = n = 0
        for x, fault, severity, motor in self.val_loader:
            out = self.model(x)
            hit_f += (out["fault"].argmax(1) == fault).sum().item()
            hit_m += (out["motor"].argmax(1) == motor).sum().item()
            se += (out["severity"].squeeze(1) - severity).pow(2).sum().item()
            n += len(x)
        return {"fault_acc": hit_f / n, "motor_acc": hit_m / n, "severity_mse": se / n}

    def fit(self):
        for epoch in range(self.epochs):
            loss = self.train_one_epoch()
            metrics = ", ".join(f"{k} {v:.3f}" for k, v in self.validate().items())
            print(f"epoch {epoch + 1:2d}/{self.epochs}: loss {loss:.4f}, {metrics}")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    g = torch.Generator().manual_seed(a.seed)
    full = TensorDataset(*synthesize(4000, g))
    train_set, val_set = random_split(full, [3200, 800], generator=g)
    Trainer(MultiTaskNet(TASKS), train_set, val_set).fit()


if __name__ == "__main__":
    main()
