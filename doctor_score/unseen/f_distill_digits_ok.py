"""Knowledge distillation on the digits: a wide teacher is trained and stored, a narrow student learns from it."""
import argparse
import tempfile
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


def mlp(width, dropout):
    return nn.Sequential(
        nn.Linear(64, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10)
    )


class TrainingModule(nn.Module):
    """A network together with its loss and optimizer."""

    def __init__(self, network, lr):
        super().__init__()
        self.network = network
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=lr)

    def loss(self, x, y):
        return F.cross_entropy(self.network(x), y)

    def update(self, loss):
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


def test_network(network, loader):
    network.eval()
    loss, hits, n = 0.0, 0, 0
    with torch.no_grad():
        for x, y in loader:
            logits = network(x)
            loss += F.cross_entropy(logits, y, reduction="sum").item()
            hits += (logits.argmax(1) == y).sum().item()
            n += len(y)
    return loss / n, hits / n


def train_teacher(train, valid, path, epochs=6):
    module = TrainingModule(mlp(256, 0.2), lr=1e-3)
    for epoch in range(epochs):
        module.train()
        for x, y in train:
            module.update(module.loss(x, y))
        loss, acc = test_network(module.network, valid)
        print(f"teacher epoch {epoch}: valid loss {loss:.4f} acc {acc:.4f}")
    torch.save(module.state_dict(), path)


def load_teacher(path):
    teacher = mlp(256, 0.2)
    state = torch.load(path)
    state = {name.removeprefix("network."): value for name, value in state.items()}
    teacher.load_state_dict(state)
    return teacher.eval().requires_grad_(False)


def distillation_loss(student_logits, teacher_logits, y, temperature=3.0, alpha=0.5):
    soft = F.kl_div(
        F.log_softmax(student_logits / temperature, dim=1),
        F.log_softmax(teacher_logits / temperature, dim=1),
        reduction="batchmean",
        log_target=True,
    )
    return alpha * temperature**2 * soft + (1 - alpha) * F.cross_entropy(student_logits, y)


def train_student(teacher, train, valid, epochs=10):
    module = TrainingModule(mlp(24, 0.0), lr=3e-3)
    for epoch in range(epochs):
        module.train()
        total = 0.0
        for x, y in train:
            with torch.no_grad():
                target = teacher(x)
            loss = distillation_loss(module.network(x), target, y)
            module.update(loss)
            total += loss.item()
        val_loss, acc = test_network(module.network, valid)
        print(f"student epoch {epoch}: train {total / len(train):.4f} valid loss {val_loss:.4f} acc {acc:.4f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)

    x, y = load_digits(return_X_y=True)
    x_train, x_valid, y_train, y_valid = train_test_split(x, y, test_size=0.25, stratify=y, random_state=options.seed)
    mean, std = x_train.mean(), x_train.std()

    def dataset(a, b):
        return TensorDataset(torch.tensor((a - mean) / std, dtype=torch.float32), torch.tensor(b))

    train = DataLoader(dataset(x_train, y_train), batch_size=32, shuffle=True)
    valid = DataLoader(dataset(x_valid, y_valid), batch_size=128)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "teacher.pt"
        train_teacher(train, valid, path)
        teacher = load_teacher(path)
    train_student(teacher, train, valid)


if __name__ == "__main__":
    main()
