#!/usr/bin/env python
# coding: utf-8

# # Classifying sensor waveforms with a 1D CNN

# In[1]:


import argparse

import numpy as np
import torch
import torch.nn as nn
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
SEED = parser.parse_known_args()[0].seed
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)


# ## Data
# Readings of a temperature-like sensor (around 20 units). Four kinds of waveform.

# In[2]:


def make_signals(n, length=64):
    t = np.linspace(0, 1, length, endpoint=False)
    X = np.zeros((n, length))
    y = np.random.randint(0, 4, size=n)
    for i in range(n):
        phase = (np.random.uniform(2, 5) * t + np.random.uniform()) % 1.0
        wave = [np.sin(2 * np.pi * phase),
                np.sign(np.sin(2 * np.pi * phase)),
                2 * phase - 1,
                4 * np.abs(phase - 0.5) - 1][y[i]]
        X[i] = 20 + np.random.uniform(3, 5) * wave + 0.4 * np.random.randn(length)
    return X.astype('float32'), y


X, y = make_signals(1400)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.25, random_state=SEED)
mean, std = X_train.mean(), X_train.std()
mean, std


# In[3]:


class WaveDataset(Dataset):
    def __init__(self, X, y, transform=None):
        self.X, self.y, self.transform = torch.from_numpy(X).unsqueeze(1), torch.from_numpy(y), transform

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        x = self.X[i]
        if self.transform is not None:
            x = self.transform(x)
        return x, self.y[i]


def normalize(x):
    return (x - mean) / std


train_ds = WaveDataset(X_train, y_train, transform=normalize)
val_ds = WaveDataset(X_val, y_val, transform=normalize)
train_dl = DataLoader(train_ds, batch_size=64, shuffle=True)
val_dl = DataLoader(val_ds, batch_size=128)


# ## Model

# In[4]:


def get_model():
    return nn.Sequential(
        nn.Conv1d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2),
        nn.Conv1d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2),
        nn.Conv1d(32, 32, 5, padding=2), nn.ReLU(),
        nn.AdaptiveAvgPool1d(1), nn.Flatten(),
        nn.Linear(32, 4),
    )


# ## Training

# In[5]:


class Trainer:
    def __init__(self, model, optimizer, loss_fn, train_dl, val_dl):
        self.model = model
        self.optimizer = optimizer
        self.loss_fn = loss_fn
        self.train_dl = train_dl
        self.val_dl = val_dl
        self.history = []
        self.reset()

    def reset(self):
        self.val_loss = 0.0
        self.val_correct = 0
        self.val_seen = 0

    def train_one_epoch(self):
        self.model.train()
        total, seen = 0.0, 0
        for xb, yb in self.train_dl:
            loss = self.loss_fn(self.model(xb), yb)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(xb)
            seen += len(xb)
        return total / seen

    @torch.no_grad()
    def evaluate(self):
        self.model.eval()
        self.reset()
        for xb, yb in self.val_dl:
            out = self.model(xb)
            self.val_loss += self.loss_fn(out, yb).item() * len(xb)
            self.val_correct += (out.argmax(1) == yb).sum().item()
            self.val_seen += len(xb)
        return self.val_loss / self.val_seen, self.val_correct / self.val_seen

    def fit(self, epochs):
        for epoch in range(epochs):
            train_loss = self.train_one_epoch()
            val_loss, val_acc = self.evaluate()
            self.history.append((train_loss, val_loss, val_acc))
            print(f'{epoch:3d} | train {train_loss:.4f} | val {val_loss:.4f} | acc {val_acc:.4f}')


# In[6]:


model = get_model()
trainer = Trainer(model, torch.optim.Adam(model.parameters(), lr=1.5e-3), nn.CrossEntropyLoss(), train_dl, val_dl)
trainer.fit(9)


# In[ ]:




