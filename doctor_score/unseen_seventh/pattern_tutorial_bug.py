"""
Training a pattern classifier
=============================

In this tutorial we will

1. build a small dataset of colour patches,
2. define a Convolutional Neural Network,
3. define a loss function and optimizer,
4. train the network on the training data,
5. test the network on the test data.
"""
import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.utils.data import DataLoader, Dataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

classes = ('horizontal', 'vertical', 'diagonal', 'checker', 'rings', 'blob', 'plain')


########################################################################
# 1. The dataset
# ^^^^^^^^^^^^^^
# Every patch is a 3x20x20 image in the range [0, 1]. We transform it to
# the range [-1, 1].

def draw(kind, rng):
    yy, xx = np.mgrid[0:20, 0:20].astype(np.float32)
    period = rng.uniform(4, 7)
    phase = rng.uniform(0, 2 * np.pi)
    w = 2 * np.pi / period
    cy, cx = rng.uniform(7, 13, size=2)
    r = np.sqrt((yy - cy) ** 2 + (xx - cx) ** 2)
    if kind == 0:
        g = np.sin(w * yy + phase)
    elif kind == 1:
        g = np.sin(w * xx + phase)
    elif kind == 2:
        g = np.sin(w * (xx + yy) / np.sqrt(2) + phase)
    elif kind == 3:
        g = np.sign(np.sin(w * xx + phase) * np.sin(w * yy + phase))
    elif kind == 4:
        g = np.sin(w * r + phase)
    elif kind == 5:
        g = 2 * np.exp(-r ** 2 / 18) - 1
    else:
        g = np.zeros_like(xx)
    color = rng.uniform(0.3, 1.0, size=(3, 1, 1))
    img = 0.5 + 0.3 * color * g[None] + rng.normal(0, 0.16, size=(3, 20, 20))
    return np.clip(img, 0, 1).astype(np.float32)


class Patterns(Dataset):
    def __init__(self, n, seed, transform=None):
        rng = np.random.default_rng(seed)
        self.targets = rng.integers(0, len(classes), size=n)
        self.images = [draw(k, rng) for k in self.targets]
        self.transform = transform

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, idx):
        image = torch.from_numpy(self.images[idx])
        if self.transform:
            image = self.transform(image)
        return image, int(self.targets[idx])


transform = lambda img: (img - 0.5) / 0.5
batch_size = 16

trainset = Patterns(2100, seed=1000 + args.seed, transform=transform)
trainloader = DataLoader(trainset, batch_size=batch_size, shuffle=True)
testset = Patterns(700, seed=2000 + args.seed, transform=transform)
testloader = DataLoader(testset, batch_size=batch_size, shuffle=False)


########################################################################
# 2. Define a Convolutional Neural Network
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 3)
        self.fc1 = nn.Linear(16 * 3 * 3, 64)
        self.fc2 = nn.Linear(64, 32)
        self.fc3 = nn.Linear(32, len(classes))

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)  # flatten all dimensions except batch
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        x = F.softmax(self.fc3(x), dim=1)
        return x


net = Net()

########################################################################
# 3. Define a Loss function and optimizer
# ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)


def accuracy(loader):
    correct = 0
    total = 0
    net.eval()
    # since we're not training, we don't need gradients for our outputs
    with torch.no_grad():
        for images, labels in loader:
            outputs = net(images)
            _, predicted = torch.max(outputs, 1)
            total += labels.size(0)
            correct += (predicted == labels).sum().item()
    net.train()
    return 100 * correct / total


########################################################################
# 4. Train the network
# ^^^^^^^^^^^^^^^^^^^^

for epoch in range(8):  # loop over the dataset multiple times
    running_loss = 0.0
    for i, (inputs, labels) in enumerate(trainloader):
        # zero the parameter gradients
        optimizer.zero_grad()

        # forward + backward + optimize
        outputs = net(inputs)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()

        running_loss += loss.item()
    print(f'[{epoch + 1}] loss: {running_loss / len(trainloader):.3f}  '
          f'test accuracy: {accuracy(testloader):.1f} %')

print('Finished Training')

########################################################################
# 5. Which classes performed well?

correct_pred = {c: 0 for c in classes}
total_pred = {c: 0 for c in classes}
net.eval()
with torch.no_grad():
    for images, labels in testloader:
        for label, pred in zip(labels, net(images).argmax(1)):
            total_pred[classes[label]] += 1
            correct_pred[classes[label]] += int(label == pred)
for name in classes:
    print(f'Accuracy for class {name:>10s}: {100 * correct_pred[name] / total_pred[name]:.1f} %')
