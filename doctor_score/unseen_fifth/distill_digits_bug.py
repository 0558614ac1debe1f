"""Knowledge distillation (Hinton et al. 2015): a small student learns from a large teacher."""
import argparse
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset


# ---- transforms in the torchvision manner, without torchvision ----
class ToTensor:
    def __call__(self, image):
        return torch.as_tensor(image, dtype=torch.float32).unsqueeze(0) / 16.0


@dataclass
class Normalize:
    mean: float
    std: float

    def __call__(self, t):
        return (t - self.mean) / self.std


class Compose:
    def __init__(self, *steps):
        self.steps = steps

    def __call__(self, x):
        for s in self.steps:
            x = s(x)
        return x


class DigitDataset(Dataset):
    def __init__(self, images, labels, transform):
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.transform(self.images[i]), int(self.labels[i])


def make_teacher():
    return nn.Sequential(
        nn.Conv2d(1, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(24, 48, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(192, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))


def make_student():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 10))


class Runner:
    """Trains `model`; with a teacher, towards the teacher's soft answers too."""

    def __init__(self, model, train_loader, val_loader, lr, teacher=None, temperature=3.0, alpha=0.7):
        self.model, self.teacher = model, teacher
        self.train_loader, self.val_loader = train_loader, val_loader
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        self.T, self.alpha = temperature, alpha
        if teacher is not None:
            teacher.eval().requires_grad_(False)

    def loss(self, x, y):
        logits = self.model(x)
        hard = F.cross_entropy(logits, y)
        if self.teacher is None:
            return hard
        soft_targets = F.softmax(self.teacher(x) / self.T, dim=1)
        soft = F.kl_div(F.log_softmax(logits / self.T, dim=1), soft_targets, reduction="batchmean")
        return self.alpha * self.T ** 2 * soft + (1 - self.alpha) * hard

    def fit(self, epochs, name):
        for epoch in range(1, epochs + 1):
            self.model.train()
            total, seen = 0.0, 0
            for x, y in self.train_loader:
                loss = self.loss(x, y)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(y)
                seen += len(y)
            if epoch % 4 == 0:
                print(f"{name} epoch {epoch:2d}  loss {total / seen:.4f}  "
                      f"val accuracy {accuracy(self.model, self.val_loader):.4f}")
        return self.model


@torch.no_grad()
def accuracy(model, loader):
    model.eval()
    hits = total = 0
    for x, y in loader:
        hits += (model(x).argmax(1) == y).sum().item()
        total += len(y)
    return hits / total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    np.random.seed(args.seed)

    digits = load_digits()
    x_tr, x_te, y_tr, y_te = train_test_split(digits.images, digits.target, test_size=0.25,
                                              stratify=digits.target, random_state=args.seed)
    x_tr, x_va, y_tr, y_va = train_test_split(x_tr, y_tr, test_size=0.2, stratify=y_tr,
                                              random_state=args.seed)

    mean, std = float(x_tr.mean() / 16), float(x_tr.std() / 16)
    train_transform = Compose(ToTensor(), Normalize(mean, std))
    test_transform = Compose(ToTensor())

    train_loader = DataLoader(DigitDataset(x_tr, y_tr, train_transform), batch_size=32, shuffle=True)
    val_loader = DataLoader(DigitDataset(x_va, y_va, test_transform), batch_size=128)
    test_loader = DataLoader(DigitDataset(x_te, y_te, test_transform), batch_size=128)

    teacher = Runner(make_teacher(), train_loader, val_loader, lr=2e-3).fit(12, "teacher")
    student = Runner(make_student(), train_loader, val_loader, lr=4e-3, teacher=teacher).fit(20, "student")

    print(f"teacher: test accuracy {accuracy(teacher, test_loader):.4f}")
    print(f"final: student test accuracy {accuracy(student, test_loader):.4f}")


if __name__ == "__main__":
    main()
