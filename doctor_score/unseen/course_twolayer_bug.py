# CS 4782 - Homework 2, Problem 3: two-layer network with mini-batch SGD
import argparse
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
np.random.seed(seed)
torch.manual_seed(seed)
torch.set_num_threads(1)


# ---- Part (a): data --------------------------------------------------------
def get_data(n_train=1300):
    X, y = load_digits(return_X_y=True)
    order = np.random.permutation(len(X))
    X, y = X[order].astype(np.float32), y[order]
    X_tr, y_tr, X_va, y_va = X[:n_train], y[:n_train], X[n_train:], y[n_train:]
    mu, sd = X_tr.mean(), X_tr.std()
    X_tr, X_va = (X_tr - mu) / sd, (X_va - mu) / sd
    return [torch.from_numpy(a) for a in (X_tr, y_tr, X_va, y_va)]


# ---- Part (b): the network -------------------------------------------------
class TwoLayerNet(nn.Module):
    """scores = relu(X W1 + b1) W2 + b2"""

    def __init__(self, D, H, C):
        super().__init__()
        self.W1 = nn.Parameter(0.01 * torch.ones(D, H))
        self.b1 = nn.Parameter(torch.zeros(H))
        self.W2 = nn.Parameter(0.01 * torch.ones(H, C))
        self.b2 = nn.Parameter(torch.zeros(C))

    def forward(self, X):
        hidden = torch.relu(X @ self.W1 + self.b1)
        return hidden @ self.W2 + self.b2


# ---- Part (c): training ----------------------------------------------------
X, y, Xv, yv = get_data()
N, D = X.shape
net = TwoLayerNet(D, 64, 10)
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
loss_fn = nn.CrossEntropyLoss()
bs = 50
history = []

for ep in range(12):
    perm = torch.randperm(N)
    running = 0.0
    for i in range(0, N, bs):
        idx = perm[i:i + bs]
        scores = net(X[idx])
        loss = loss_fn(scores, y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item() * len(idx)
    with torch.no_grad():
        val_scores = net(Xv)
        val_loss = loss_fn(val_scores, yv).item()
        val_acc = (val_scores.argmax(1) == yv).float().mean().item()
    history.append((running / N, val_loss, val_acc))
    print(f"epoch {ep:2d}  train loss {running / N:.3f}  val loss {val_loss:.3f}  val acc {val_acc:.3f}")

# ---- Part (d): report ------------------------------------------------------
print("final validation accuracy: %.1f%%" % (100 * history[-1][2]))
