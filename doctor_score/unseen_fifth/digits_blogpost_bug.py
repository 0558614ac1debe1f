"""
Your first convolutional network, part 3: putting it all together
==================================================================

In the first two parts of this series we looked at tensors and at autograd.
Today we train a real network. To keep things fast we use the 8x8 digits that
ship with scikit-learn, so you can follow along on any laptop.
"""
import argparse
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=18)
args = parser.parse_args()

random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)
torch.set_num_threads(1)

# ---------------------------------------------------------------------------
# Step 1: the data. Three splits: we train on the first, keep an eye on the
# second, and touch the third one exactly once, at the very end.
# ---------------------------------------------------------------------------
digits = load_digits()
images = digits.images.astype(np.float32)[:, None]
labels = digits.target.astype(np.int64)
x_train, x_rest, y_train, y_rest = train_test_split(
    images, labels, test_size=0.4, stratify=labels, random_state=args.seed)
x_val, x_test, y_val, y_test = train_test_split(
    x_rest, y_rest, test_size=0.5, stratify=y_rest, random_state=args.seed)

mean, std = x_train.mean(), x_train.std()


def make_loader(x, y, shuffle):
    x = torch.from_numpy((x - mean) / std)
    return DataLoader(TensorDataset(x, torch.from_numpy(y)), batch_size=32, shuffle=shuffle)


train_loader = make_loader(x_train, y_train, True)
val_loader = make_loader(x_val, y_val, False)
test_loader = make_loader(x_test, y_test, False)


# ---------------------------------------------------------------------------
# Step 2: the model. Convolution, batch norm, ReLU - the classic sandwich.
# ---------------------------------------------------------------------------
def block(c_in, c_out):
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
    )


class DigitNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            block(1, 24), nn.MaxPool2d(2), nn.Dropout2d(0.1),
            block(24, 48), nn.MaxPool2d(2), nn.Dropout2d(0.1),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(48 * 4, 96), nn.ReLU(), nn.Dropout(0.4), nn.Linear(96, 10))

    def forward(self, x):
        return self.classifier(self.features(x))


model = DigitNet()
print(f"our network has {sum(p.numel() for p in model.parameters()):,} parameters")

# ---------------------------------------------------------------------------
# Step 3: loss, optimizer, and a schedule. The one-cycle schedule goes up and
# then down again over all the batches of the training, so it is stepped after
# every batch. A little label smoothing keeps the network humble.
# ---------------------------------------------------------------------------
criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
scheduler = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, max_lr=3e-3, epochs=args.epochs, steps_per_epoch=len(train_loader))


@torch.no_grad()
def evaluate(loader):
    model.eval()
    correct, total, loss_sum = 0, 0, 0.0
    for x, y in loader:
        logits = model(x)
        loss_sum += nn.functional.cross_entropy(logits, y, reduction="sum").item()
        correct += (logits.argmax(dim=1) == y).sum().item()
        total += len(y)
    return loss_sum / total, correct / total


# ---------------------------------------------------------------------------
# Step 4: the loop that you will write a thousand times in your life.
# ---------------------------------------------------------------------------
model.train()
for epoch in range(args.epochs):
    running, seen = 0.0, 0
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        scheduler.step()
        running += loss.item() * len(y)
        seen += len(y)
    val_loss, val_acc = evaluate(val_loader)
    print(f"epoch {epoch + 1:2d} | train loss {running / seen:.4f} | "
          f"val loss {val_loss:.4f} | val accuracy {val_acc:.4f}")

test_loss, test_acc = evaluate(test_loader)
print(f"final: test loss {test_loss:.4f}, test accuracy {test_acc:.4f}")
