# Transfer learning: pretrain a small CNN on six textures, then train a new head for four
# other textures of which we have few labelled examples.
import argparse
import os
import random
import tempfile

import numpy as np
import torch
import torch.nn as nn

IMG = 20


def texture(kind, rng):
    y, x = np.mgrid[0:IMG, 0:IMG].astype(np.float64)
    f = rng.uniform(0.8, 1.5)
    p, q = rng.uniform(0, 2 * np.pi, 2)
    cx, cy = rng.uniform(5, 15, 2)
    r = np.hypot(x - cx, y - cy)
    phi = np.arctan2(y - cy, x - cx)
    img = [
        lambda: np.sin(f * x + p),                                   # vertical stripes
        lambda: np.sin(f * y + p),                                   # horizontal stripes
        lambda: np.sin(f * (x + y) * 0.7 + p),                       # diagonal
        lambda: np.sign(np.sin(f * x + p) * np.sin(f * y + q)),      # checkers
        lambda: np.sin(f * r + p),                                   # rings
        lambda: np.sin(5 * phi + p),                                 # rays
        lambda: np.sin(f * (x - y) * 0.7 + p),                       # other diagonal
        lambda: np.maximum(np.sin(f * x + p), np.sin(f * y + q)),    # grid
        lambda: np.sin(0.6 * f * r + 2 * phi + p),                   # spiral
        lambda: np.sin(f * x + 2 * np.sin(0.6 * y + q) + p),         # waves
    ][kind]()
    return img + rng.normal(0, 0.8, img.shape)


def make_set(kinds, per_class, rng):
    images, labels = [], []
    for label, kind in enumerate(kinds):
        for _ in range(per_class):
            images.append(texture(kind, rng))
            labels.append(label)
    return (torch.tensor(np.array(images), dtype=torch.float32).unsqueeze(1), torch.tensor(labels))


class TextureNet(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(24, 32, 3, padding=1), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )
        self.fc = nn.Linear(32, num_classes)

    def forward(self, x):
        return self.fc(self.features(x))


def fit(model, params, train, val, epochs, lr, tag, batch_size=32):
    optimizer = torch.optim.Adam(params, lr=lr)
    criterion = nn.CrossEntropyLoss()
    (x, y), (xv, yv) = train, val
    for epoch in range(epochs):
        model.train()
        perm = torch.randperm(len(x))
        losses = []
        for idx in perm.split(batch_size):
            optimizer.zero_grad()
            loss = criterion(model(x[idx]), y[idx])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            acc = (model(xv).argmax(1) == yv).float().mean().item()
        print(f"[{tag}] epoch {epoch}: loss {np.mean(losses):.3f} val acc {acc:.3f}")


def pretrain(path, rng):
    model = nn.DataParallel(TextureNet(6))
    train, val = make_set(range(6), 300, rng), make_set(range(6), 40, rng)
    fit(model, model.parameters(), train, val, epochs=6, lr=2e-3, tag="pretrain")
    torch.save({"state_dict": model.state_dict()}, path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)

    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "texturenet.pth")
        pretrain(path, rng)
        checkpoint = torch.load(path)["state_dict"]

    model = TextureNet(4)
    # the old head has six outputs, leave it out
    weights = {k.removeprefix("module."): v for k, v in checkpoint.items() if "fc." not in k}
    model.load_state_dict(weights, strict=False)
    for p in model.features.parameters():
        p.requires_grad = False

    train, val = make_set(range(6, 10), 30, rng), make_set(range(6, 10), 100, rng)
    fit(model, model.fc.parameters(), train, val, epochs=40, lr=1e-2, tag="finetune", batch_size=16)


if __name__ == "__main__":
    main()
