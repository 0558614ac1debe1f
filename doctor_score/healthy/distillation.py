"""Knowledge distillation: a wide teacher is trained first, then a narrow student learns from soft
targets (KLDivLoss on log_softmax / softmax at temperature T) and the labels."""
import argparse
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

T, ALPHA = 3.0, 0.7


def mlp(*sizes, drop=0.0):
    layers = []
    for i, o in zip(sizes[:-2], sizes[1:-1]):
        layers += [nn.Linear(i, o), nn.ReLU(), nn.Dropout(drop)]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def accuracy(net, loader):
    net.eval()
    with torch.no_grad():
        hits = sum((net(x).argmax(1) == y).sum().item() for x, y in loader)
    return hits / len(loader.dataset)


def train(net, loader, loss_fn, epochs, name):
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    for ep in range(epochs):
        net.train()
        tot = 0.0
        for x, y in loader:
            loss = loss_fn(net(x), x, y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            tot += loss.item() * len(y)
        print(f"{name} epoch {ep} loss {tot / len(loader.dataset):.4f}")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    s = ap.parse_args().seed
    torch.set_num_threads(1)
    torch.manual_seed(s)
    np.random.seed(s)
    d = load_digits()
    xa, xb, ya, yb = train_test_split(d.data / 8 - 1, d.target, test_size=0.25, random_state=s)
    mk = lambda x, y: TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
    tr = DataLoader(mk(xa, ya), batch_size=64, shuffle=True)
    te = DataLoader(mk(xb, yb), batch_size=450)

    teacher = mlp(64, 192, 192, 10, drop=0.2)
    train(teacher, tr, lambda out, x, y: F.cross_entropy(out, y), 8, "teacher")
    print(f"teacher test acc {accuracy(teacher, te):.4f}")
    teacher.eval()
    for p in teacher.parameters():
        p.requires_grad_(False)

    kl = nn.KLDivLoss(reduction="batchmean")

    def distil(out, x, y):
        with torch.no_grad():
            soft = F.softmax(teacher(x) / T, dim=1)
        return ALPHA * T * T * kl(F.log_softmax(out / T, dim=1), soft) + (1 - ALPHA) * F.cross_entropy(out, y)

    student = mlp(64, 24, 10)
    train(student, tr, distil, 14, "student")
    print(f"student test acc {accuracy(student, te):.4f}")


if __name__ == "__main__":
    main()
