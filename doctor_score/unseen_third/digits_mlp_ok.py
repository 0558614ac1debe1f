"""Classify handwritten digits with a small network.

Step 1: collect the images class by class, as one would from a folder per class.
Step 2: define the network.  Step 3: train it.  Step 4: look at the accuracy.
"""
import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)
torch.set_num_threads(1)

# ---- data -----------------------------------------------------------------
images, labels = load_digits(return_X_y=True)
train_x, train_y, test_x, test_y = [], [], [], []
for digit in range(10):
    members = np.random.permutation(np.where(labels == digit)[0])
    cut = int(0.8 * len(members))
    train_x.append(images[members[:cut]])
    train_y.append(labels[members[:cut]])
    test_x.append(images[members[cut:]])
    test_y.append(labels[members[cut:]])
train_x, test_x = np.concatenate(train_x), np.concatenate(test_x)
train_y, test_y = np.concatenate(train_y), np.concatenate(test_y)

mean, std = train_x.mean(), train_x.std()


def to_dataset(x, y):
    x = torch.tensor((x - mean) / std, dtype=torch.float32)
    return TensorDataset(x, torch.tensor(y, dtype=torch.long))


train_loader = DataLoader(to_dataset(train_x, train_y), batch_size=32, shuffle=True)
test_loader = DataLoader(to_dataset(test_x, test_y), batch_size=128)


# ---- model ----------------------------------------------------------------
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 64)
        self.fc2 = nn.Linear(64, 32)
        self.out = nn.Linear(32, 10)

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.out(x)


net = Net()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)

# ---- training -------------------------------------------------------------
for epoch in range(8):
    net.train()
    total = 0.0
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)

    net.eval()
    hits = 0
    with torch.no_grad():
        for x, y in test_loader:
            hits += (net(x).argmax(1) == y).sum().item()
    print(f"epoch {epoch + 1}: loss {total / len(train_y):.4f}, accuracy {hits / len(test_y):.3f}")
