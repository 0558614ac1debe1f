"""Transfer learning: pretrain an encoder on digits 0-4, then fine-tune on a few examples of 5-9."""
import argparse
import copy
import os
import tempfile

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn


def build_encoder():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(),
    )


class Classifier(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.encoder = build_encoder()
        self.head = nn.Linear(128, n_classes)

    def forward(self, x):
        return self.head(self.encoder(x))


def accuracy(model, x, y):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        acc = (model(x).argmax(1) == y).float().mean().item()
    model.train(was_training)
    return acc


def fit(model, params, x, y, x_val, y_val, epochs, lr, tag):
    optimizer = torch.optim.Adam(params, lr=lr)
    criterion = nn.CrossEntropyLoss()
    best, best_state = -1.0, None
    for epoch in range(epochs):
        model.train()
        losses = []
        for idx in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            loss = criterion(model(x[idx]), y[idx])
            loss.backward()
            optimizer.step()
            losses.append(loss.item() * len(idx))
        acc = accuracy(model, x_val, y_val)
        if acc > best:
            best, best_state = acc, copy.deepcopy(model.state_dict())
        print(f"[{tag}] epoch {epoch + 1}/{epochs} loss={sum(losses) / len(x):.3f} val_acc={acc:.3f}")
    model.load_state_dict(best_state)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = np.random.RandomState(seed)

    digits = load_digits()
    order = rng.permutation(len(digits.target))
    images = torch.tensor(digits.images[order] / 8.0 - 1.0, dtype=torch.float32).unsqueeze(1)
    target = torch.tensor(digits.target[order])
    low, high = target < 5, target >= 5
    xs, ys = images[low], target[low]
    xt, yt = images[high], target[high] - 5

    # ---- source task
    source = Classifier(5)
    fit(source, source.parameters(), xs[:700], ys[:700], xs[700:], ys[700:], epochs=5, lr=2e-3, tag="pretrain")
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "pretrained.pt")
    torch.save(source.state_dict(), path)

    # ---- target task: 80 labelled images
    state = torch.load(path)
    os.remove(path)
    os.rmdir(folder)
    model = Classifier(5)
    model.encoder.load_state_dict(state, strict=False)
    for layer in model.encoder[:5]:
        for p in layer.parameters():
            p.requires_grad = False
    trainable = [p for p in model.parameters() if p.requires_grad]
    print("trainable parameters:", sum(p.numel() for p in trainable))
    fit(model, trainable, xt[:80], yt[:80], xt[80:400], yt[80:400], epochs=20, lr=2e-3, tag="finetune")
    print(f"test accuracy on new digits: {accuracy(model, xt[400:], yt[400:]):.3f}")


if __name__ == "__main__":
    main()
