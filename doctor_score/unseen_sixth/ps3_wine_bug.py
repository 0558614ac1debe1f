# CS 189  Problem Set 3, Question 2: multi-layer perceptrons
#
# (a) load the data and make a train / validation split
# (b) implement a three layer network
# (c) train it with mini-batch SGD and report the validation accuracy
# (d) print the confusion matrix. Which cultivars are confused?

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_wine


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


# ---------- part (a) ----------
def get_data(seed):
    data, target = load_wine(return_X_y=True)
    perm = np.random.RandomState(seed).permutation(len(data))
    data, target = data[perm], target[perm]
    n_train = 120
    mu = data[:n_train].mean(axis=0)
    sigma = data[:n_train].std(axis=0)
    data = (data - mu) / sigma
    X_train = torch.tensor(data[:n_train], dtype=torch.float32)
    y_train = torch.tensor(target[:n_train], dtype=torch.long)
    X_val = torch.tensor(data[n_train:], dtype=torch.float32)
    y_val = torch.tensor(target[n_train:], dtype=torch.long)
    return X_train, y_train, X_val, y_val


# ---------- part (b) ----------
class ThreeLayerNet(nn.Module):
    def __init__(self, in_dim, h1, h2, num_classes):
        super().__init__()
        self.layer1 = nn.Linear(in_dim, h1)
        self.layer2 = nn.Linear(h1, h2)
        self.layer3 = nn.Linear(h2, num_classes)

    def forward(self, x):
        x = F.relu(self.layer1(x))
        x = F.relu(self.layer2(x))
        x = F.relu(self.layer3(x))
        return x


# ---------- part (c) ----------
def accuracy(net, X, y):
    net.eval()
    with torch.no_grad():
        pred = net(X).argmax(dim=1)
    return (pred == y).float().mean().item()


def train(net, X_train, y_train, X_val, y_val, lr, epochs, batch_size):
    opt = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    n = len(X_train)
    for epoch in range(epochs):
        net.train()
        order = torch.randperm(n)
        running = 0.0
        for start in range(0, n, batch_size):
            idx = order[start:start + batch_size]
            scores = net(X_train[idx])
            loss = F.cross_entropy(scores, y_train[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            running += loss.item() * len(idx)
        print("epoch %3d: train loss %.4f, train acc %.3f, val acc %.3f" % (
            epoch, running / n, accuracy(net, X_train, y_train), accuracy(net, X_val, y_val)))


# ---------- part (d) ----------
def confusion(net, X, y, k):
    net.eval()
    with torch.no_grad():
        pred = net(X).argmax(1)
    table = torch.zeros(k, k, dtype=torch.long)
    for t, p in zip(y, pred):
        table[t, p] += 1
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    set_seed(args.seed)
    X_train, y_train, X_val, y_val = get_data(args.seed)
    print("train:", tuple(X_train.shape), "val:", tuple(X_val.shape))
    net = ThreeLayerNet(13, 32, 16, 3)
    train(net, X_train, y_train, X_val, y_val, lr=0.05, epochs=250, batch_size=6)
    print(confusion(net, X_val, y_val, 3))
