import argparse
import os
import tempfile

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


def get_args():
    parser = argparse.ArgumentParser(description="Pretrain an encoder on digit classes, probe it on parity")
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--embed-dim", type=int, default=16)
    parser.add_argument("--pretrain-epochs", type=int, default=15)
    parser.add_argument("--probe-epochs", type=int, default=60)
    parser.add_argument("--probe-size", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--probe-lr", type=float, default=1e-2)
    return parser.parse_args()


class Encoder(nn.Module):
    def __init__(self, width, embed_dim):
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.fc = nn.Linear(2 * width * 4, embed_dim)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return F.relu(self.fc(x.flatten(1)))


class DigitModel(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.encoder = Encoder(args.width, args.embed_dim)
        self.head = nn.Linear(args.embed_dim, 10)

    def forward(self, x):
        return self.head(self.encoder(x))


class ParityModel(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.backbone = Encoder(args.width, args.embed_dim)
        self.classifier = nn.Linear(args.embed_dim, 2)

    def forward(self, x):
        return self.classifier(self.backbone(x))


@torch.no_grad()
def accuracy(model, loader):
    model.eval()
    hits = sum((model(x).argmax(1) == y).sum().item() for x, y in loader)
    return hits / len(loader.dataset)


def fit(model, train_loader, val_loader, params, lr, epochs, name):
    optimizer = torch.optim.Adam(params, lr=lr)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        if (epoch + 1) % 5 == 0:
            print(f"[{name}] epoch {epoch + 1} loss {total / len(train_loader.dataset):.4f} "
                  f"val acc {accuracy(model, val_loader):.4f}")


def main():
    args = get_args()
    torch.manual_seed(args.seed)
    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32)[:, None]
    y = torch.tensor(digits.target)
    perm = torch.randperm(len(x))
    x, y = x[perm], y[perm]
    n_pre, n_val = 900, 400
    mean, std = x[:n_pre].mean(), x[:n_pre].std()
    x = (x - mean) / std
    pre = TensorDataset(x[:n_pre], y[:n_pre])
    val = slice(n_pre, n_pre + n_val)
    probe = slice(n_pre + n_val, n_pre + n_val + args.probe_size)

    def loader(dataset, shuffle):
        return DataLoader(dataset, batch_size=args.batch_size, shuffle=shuffle)

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "pretrained.pt")
        model = DigitModel(args)
        fit(model, loader(pre, True), loader(TensorDataset(x[val], y[val]), False), model.parameters(), args.lr,
            args.pretrain_epochs, "pretrain")
        torch.save({"model": model.state_dict(), "args": vars(args)}, path)

        probe_model = ParityModel(args)
        state = torch.load(path)["model"]
        state = {k: v for k, v in state.items() if k.startswith("encoder.")}
        probe_model.load_state_dict(state, strict=False)
    for p in probe_model.backbone.parameters():
        p.requires_grad = False
    fit(probe_model, loader(TensorDataset(x[probe], y[probe] % 2), True),
        loader(TensorDataset(x[val], y[val] % 2), False), probe_model.classifier.parameters(), args.probe_lr,
        args.probe_epochs, "probe")


if __name__ == "__main__":
    main()
