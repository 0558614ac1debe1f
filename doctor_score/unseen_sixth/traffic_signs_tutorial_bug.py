"""
Training a sign classifier
==========================

In this tutorial we will

1. write a custom ``Dataset`` which draws small traffic signs,
2. define a convolutional neural network,
3. train the network on the training data,
4. test the network on the test data.
"""
import argparse
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)
torch.set_num_threads(1)

classes = ("stop", "yield", "no_entry", "priority", "parking", "crossing")

######################################################################
# Creating a custom dataset
# -------------------------
# Every sign is drawn at a random place, with random size and colour,
# in front of a noisy background.


class SignDataset(Dataset):
    def __init__(self, num_images, size=24, seed=0):
        rng = np.random.default_rng(seed)
        self.labels = torch.from_numpy(rng.integers(0, len(classes), num_images))
        self.images = torch.stack(
            [torch.from_numpy(self.draw(int(y), size, rng)) for y in self.labels]
        )

    @staticmethod
    def draw(label, size, rng):
        yy, xx = np.mgrid[0:size, 0:size].astype(np.float32)
        cx, cy = rng.uniform(9, size - 9, 2)
        r = rng.uniform(6, 9)
        dx, dy = (xx - cx) / r, (yy - cy) / r
        dist = np.sqrt(dx**2 + dy**2)
        masks = [
            np.maximum(abs(dx), abs(dy)) + 0.5 * np.minimum(abs(dx), abs(dy)) < 1.1,
            (dy > -0.8) & (dy < 0.8 - 1.6 * abs(dx)),
            (dist < 1) & ~((abs(dy) < 0.25) & (abs(dx) < 0.7)),
            abs(dx) + abs(dy) < 1,
            np.maximum(abs(dx), abs(dy)) < 0.85,
            (abs(dx) < 0.3) | (abs(dy) < 0.3),
        ]
        mask = masks[label] & (dist < 1.3)
        image = rng.normal(0.5, 0.13, (3, size, size))
        colour = rng.uniform(0.5, 1.0, 3) * rng.choice([-1, 1])
        image += mask * colour[:, None, None] * 0.45
        image = np.clip(image, 0, 1)
        return ((image - 0.5) / 0.5).astype(np.float32)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, idx):
        return self.images[idx], self.labels[idx]


training_data = SignDataset(1600, seed=1000 + args.seed)
test_data = SignDataset(500, seed=5000 + args.seed)

batch_size = 32
train_dataloader = DataLoader(training_data, batch_size=batch_size, shuffle=True)
test_dataloader = DataLoader(test_data, batch_size=batch_size)

######################################################################
# Creating a model
# ----------------


class SignNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(32 * 6 * 6, 96),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(96, len(classes)),
        )

    def forward(self, x):
        return self.classifier(self.features(x))


model = SignNet()
print(model)

loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)


def train(dataloader, model, loss_fn, optimizer):
    size = len(dataloader.dataset)
    model.train()
    for batch, (X, y) in enumerate(dataloader):
        # Compute prediction error
        pred = model(X)
        loss = loss_fn(pred, y)

        # Backpropagation
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

        if batch % 25 == 0:
            loss, current = loss.item(), (batch + 1) * len(X)
            print(f"loss: {loss:>7f}  [{current:>5d}/{size:>5d}]")


def test(dataloader, model, loss_fn):
    size = len(dataloader.dataset)
    test_loss, correct = 0.0, 0
    with torch.no_grad():
        for X, y in dataloader:
            pred = model(X)
            test_loss += loss_fn(pred, y).item() * len(X)
            correct += (pred.argmax(1) == y).sum().item()
    test_loss /= size
    correct /= size
    print(f"Test Error: \n Accuracy: {(100 * correct):>0.1f}%, Avg loss: {test_loss:>8f} \n")


epochs = 10
for t in range(epochs):
    print(f"Epoch {t + 1}\n-------------------------------")
    train(train_dataloader, model, loss_fn, optimizer)
    test(test_dataloader, model, loss_fn)
print("Done!")
