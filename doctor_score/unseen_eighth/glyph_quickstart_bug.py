"""
Quickstart: training a small CNN
================================
We work through the usual steps: data, model, optimizing the parameters, testing.
"""
import argparse

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

######################################################################
# Working with data
# -----------------
# Eight 14x14 glyphs, each drawn by a few random strokes. A sample is a glyph that was moved
# a little, partly rubbed out and covered with noise.


def make_glyphs(num_classes=8, size=14):
    glyphs = torch.zeros(num_classes, size, size)
    for k in range(num_classes):
        for _ in range(4):
            r, c = torch.randint(2, size - 5, (2,)).tolist()
            if torch.rand(1).item() < 0.5:
                glyphs[k, r, c : c + 5] = 1.0
            else:
                glyphs[k, r : r + 5, c] = 1.0
    return glyphs


def make_split(glyphs, count):
    labels = torch.randint(0, len(glyphs), (count,))
    images = glyphs[labels].clone()
    shifts = torch.randint(-1, 2, (count, 2)).tolist()
    images = torch.stack([img.roll(tuple(s), (0, 1)) for img, s in zip(images, shifts)])
    images = images * (torch.rand_like(images) > 0.2)
    images = images + 0.35 * torch.randn_like(images)
    return TensorDataset(((images - 0.1) / 0.45).unsqueeze(1), labels)


glyphs = make_glyphs()
training_data = make_split(glyphs, 640)
test_data = make_split(glyphs, 1000)

batch_size = 64
train_dataloader = DataLoader(training_data, batch_size=batch_size, shuffle=True)
test_dataloader = DataLoader(test_data, batch_size=batch_size)

for X, y in test_dataloader:
    print(f"Shape of X [N, C, H, W]: {X.shape}")
    print(f"Shape of y: {y.shape} {y.dtype}")
    break

######################################################################
# Creating models
# ---------------

device = "cuda" if torch.cuda.is_available() else "cpu"
print(f"Using {device} device")


class NeuralNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
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
            nn.Linear(32 * 3 * 3, 128),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(128, 8),
        )

    def forward(self, x):
        return self.classifier(self.features(x))


model = NeuralNetwork().to(device)
print(model)

######################################################################
# Optimizing the model parameters
# -------------------------------

loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)


def train(dataloader, model, loss_fn, optimizer):
    size = len(dataloader.dataset)
    for batch, (X, y) in enumerate(dataloader):
        X, y = X.to(device), y.to(device)

        # Compute prediction error
        pred = model(X)
        loss = loss_fn(pred, y)

        # Backpropagation
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

        if batch % 10 == 0:
            loss, current = loss.item(), (batch + 1) * len(X)
            print(f"loss: {loss:>7f}  [{current:>5d}/{size:>5d}]")


def test(dataloader, model, loss_fn):
    size = len(dataloader.dataset)
    model.eval()
    test_loss, correct = 0, 0
    with torch.no_grad():
        for X, y in dataloader:
            X, y = X.to(device), y.to(device)
            pred = model(X)
            test_loss += loss_fn(pred, y).item() * len(X)
            correct += (pred.argmax(1) == y).type(torch.float).sum().item()
    test_loss /= size
    correct /= size
    print(f"Test Error: \n Accuracy: {(100*correct):>0.1f}%, Avg loss: {test_loss:>8f} \n")


epochs = 40
for t in range(epochs):
    print(f"Epoch {t+1}\n-------------------------------")
    train(train_dataloader, model, loss_fn, optimizer)
    test(test_dataloader, model, loss_fn)
print("Done!")
