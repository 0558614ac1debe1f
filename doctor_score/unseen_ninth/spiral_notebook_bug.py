#!/usr/bin/env python
# coding: utf-8

# # Exercise 3: a small network for the spiral data
#
# In this exercise you train a two-layer network on three interleaved spirals.

# In[1]:

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(1)
rng = np.random.default_rng(1)

# In[2]:

# ## Data


def make_spirals(n_per_class, n_classes=3, noise=0.25):
    xs, ys = [], []
    for c in range(n_classes):
        r = np.linspace(0.1, 1.0, n_per_class)
        phi = np.linspace(c * 4, c * 4 + 4, n_per_class) + rng.normal(0, noise, n_per_class)
        xs.append(np.stack([r * np.sin(phi), r * np.cos(phi)], axis=1))
        ys.append(np.full(n_per_class, c))
    return np.concatenate(xs).astype(np.float32), np.concatenate(ys)


X, y = make_spirals(1200)
order = rng.permutation(len(X))
X, y = X[order], y[order]
n_train = 2600
mean, std = X[:n_train].mean(0), X[:n_train].std(0)
X = (X - mean) / std

train_set = torch.utils.data.TensorDataset(torch.from_numpy(X[:n_train]), torch.from_numpy(y[:n_train]))
valid_set = torch.utils.data.TensorDataset(torch.from_numpy(X[n_train:]), torch.from_numpy(y[n_train:]))
train_loader = torch.utils.data.DataLoader(train_set, batch_size=32, shuffle=True)
valid_loader = torch.utils.data.DataLoader(valid_set, batch_size=100)

# In[3]:

# ## Model


class SpiralNet(nn.Module):
    def __init__(self, n_hidden=64):
        super(SpiralNet, self).__init__()
        self.fc1 = nn.Linear(2, n_hidden)
        self.fc2 = nn.Linear(n_hidden, n_hidden)
        self.fc3 = nn.Linear(n_hidden, 3)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


net = SpiralNet()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)

# In[4]:

# ## Training

num_epochs = 20
history = {"loss": [], "val_acc": []}

n_correct, n_seen = 0, 0
for epoch in range(num_epochs):
    net.train()
    running_loss = 0.0
    for inputs, labels in train_loader:
        optimizer.zero_grad()
        outputs = net(inputs)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        running_loss += loss.item() * inputs.size(0)

    net.eval()
    with torch.no_grad():
        for inputs, labels in valid_loader:
            predicted = net(inputs).argmax(dim=1)
            n_correct += (predicted == labels).sum().item()
            n_seen += labels.size(0)

    history["loss"].append(running_loss / len(train_set))
    history["val_acc"].append(n_correct / n_seen)
    print("epoch %2d  loss %.4f  validation accuracy %.4f" % (epoch + 1, history["loss"][-1], history["val_acc"][-1]))

# In[5]:

print("final validation accuracy: %.4f" % history["val_acc"][-1])
