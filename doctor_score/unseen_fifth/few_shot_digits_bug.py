"""Transfer learning in two stages, with a checkpoint between them.

Stage 1 learns to read digits; there are plenty of them. Stage 2 takes the encoder over and learns from
a few other images whether a digit is odd or even.
"""
import argparse
import os
import tempfile

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.fc = nn.Linear(32 * 4, 48)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return F.relu(self.fc(x.flatten(1)))


class DigitModel(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.encoder = Encoder()
        self.head = nn.Linear(48, n_classes)

    def forward(self, x):
        return self.head(self.encoder(x))


class Trainer:
    def __init__(self, model, optimizer, batch_size=32):
        self.model, self.optimizer, self.batch_size = model, optimizer, batch_size

    def fit(self, x, y, x_val, y_val, epochs, every):
        for epoch in range(1, epochs + 1):
            self.model.train()
            total = 0.0
            for idx in torch.randperm(len(x)).split(self.batch_size):
                self.optimizer.zero_grad()
                loss = F.cross_entropy(self.model(x[idx]), y[idx])
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(idx)
            if epoch % every == 0:
                print(f"  epoch {epoch:3d}  loss {total / len(x):.4f}  accuracy {self.score(x_val, y_val):.4f}")

    @torch.no_grad()
    def score(self, x, y):
        self.model.eval()
        return (self.model(x).argmax(1) == y).float().mean().item()


def pretrain(x, y, x_val, y_val, path):
    print("stage 1: which digit?")
    model = nn.DataParallel(DigitModel(10))  # uses all the cards of the machine, if there are any
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    Trainer(model, optimizer).fit(x, y, x_val, y_val, epochs=15, every=5)
    torch.save({"model": model.state_dict(), "stage": 1}, path)


def load_encoder(model, path):
    checkpoint = torch.load(path, weights_only=True)
    state = checkpoint["model"]
    state = {k: v for k, v in state.items() if "head" not in k}  # the head has other classes
    model.load_state_dict(state, strict=False)
    return model


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shots", type=int, default=40)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    np.random.seed(args.seed)
    rng = np.random.default_rng(args.seed)

    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 8 - 1  # 0..16 -> -1..1
    y = torch.tensor(digits.target)
    order = torch.tensor(rng.permutation(len(x)))
    first, val, few, test = order.split([900, 200, args.shots, len(x) - 1100 - args.shots])

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "stage1.pt")
        pretrain(x[first], y[first], x[val], y[val], path)
        model = load_encoder(DigitModel(2), path)

    print(f"stage 2: odd or even? {args.shots} examples")
    odd = y % 2
    # the encoder is good already: it moves much slower than the new head
    optimizer = torch.optim.Adam([
        {"params": model.encoder.parameters(), "lr": 1e-4},
        {"params": model.head.parameters(), "lr": 1e-2},
    ])
    trainer = Trainer(model, optimizer, batch_size=8)
    print(f"  accuracy before training {trainer.score(x[val], odd[val]):.4f}")
    trainer.fit(x[few], odd[few], x[val], odd[val], epochs=30, every=6)
    print(f"final: accuracy on {len(test)} unseen digits {trainer.score(x[test], odd[test]):.4f}")


if __name__ == "__main__":
    main()
