# CS-E4870 Introduction to Neural Networks
# Lab 5 -- Regression with a multilayer perceptron
#
# Student: ______________      Group: __
#
# Fill in the parts marked "Task". Do not change the function signatures.

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_diabetes


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


# ---------------------------------------------------------------- Task 1 (1p)
# Load the data, hold out 25 % for validation, standardize with the statistics
# of the training part.
def load_data(seed):
    X, y = load_diabetes(return_X_y=True)
    rng = np.random.RandomState(seed)
    perm = rng.permutation(len(X))
    n_val = len(X) // 4
    val_idx, train_idx = perm[:n_val], perm[n_val:]

    x_mean, x_std = X[train_idx].mean(0), X[train_idx].std(0)
    y_mean, y_std = y[train_idx].mean(), y[train_idx].std()
    X = (X - x_mean) / x_std
    y = (y - y_mean) / y_std

    def to_t(a):
        return torch.tensor(a, dtype=torch.float32)

    return (to_t(X[train_idx]), to_t(y[train_idx]).reshape(-1, 1),
            to_t(X[val_idx]), to_t(y[val_idx]).reshape(-1, 1))


# ---------------------------------------------------------------- Task 2 (2p)
# Implement an MLP with two hidden layers and tanh activations.
class MLP(torch.nn.Module):
    def __init__(self, n_in, n_hidden):
        super(MLP, self).__init__()
        self.layer1 = torch.nn.Linear(n_in, n_hidden)
        self.layer2 = torch.nn.Linear(n_hidden, n_hidden)
        self.layer3 = torch.nn.Linear(n_hidden, 1)

    def forward(self, x):
        h1 = torch.tanh(self.layer1(x))
        h2 = torch.tanh(self.layer2(h1))
        return self.layer3(h2)


# ---------------------------------------------------------------- Task 3 (3p)
# Write one epoch of minibatch gradient descent. Return the mean loss.
def train_epoch(model, optimizer, loss_fn, X, y, batch_size):
    model.train()
    perm = torch.randperm(len(X))
    total = 0.0
    for start in range(0, len(X), batch_size):
        idx = perm[start:start + batch_size]
        # forward pass
        y_hat = model(X[idx])
        loss = loss_fn(y_hat, y[idx])
        # backward pass
        loss.backward()
        # parameter update
        optimizer.step()
        total += loss.item() * len(idx)
    return total / len(X)


# ---------------------------------------------------------------- Task 4 (1p)
# Coefficient of determination: R2 = 1 - SS_res / SS_tot
def r2_score(model, X, y):
    model.eval()
    with torch.no_grad():
        residual = ((model(X) - y) ** 2).sum()
        total = ((y - y.mean()) ** 2).sum()
    return (1 - residual / total).item()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    set_seed(args.seed)

    X_train, y_train, X_val, y_val = load_data(args.seed)
    print("training examples:", len(X_train), " validation examples:", len(X_val))

    model = MLP(X_train.shape[1], 12)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loss_fn = torch.nn.MSELoss()

    n_epochs = 25
    for epoch in range(1, n_epochs + 1):
        train_loss = train_epoch(model, optimizer, loss_fn, X_train, y_train, 16)
        if epoch % 5 == 0 or epoch == 1:
            print("epoch {:3d}  train loss {:.4f}  train R2 {:.3f}  val R2 {:.3f}".format(
                epoch, train_loss, r2_score(model, X_train, y_train),
                r2_score(model, X_val, y_val)))
        else:
            print("epoch {:3d}  train loss {:.4f}".format(epoch, train_loss))

    # ------------------------------------------------------------ Task 5 (1p)
    # Compare with ordinary least squares. Is the MLP better? Why (not)?
    A = torch.cat([X_train, torch.ones(len(X_train), 1)], 1)
    w = torch.linalg.lstsq(A, y_train).solution
    pred = torch.cat([X_val, torch.ones(len(X_val), 1)], 1) @ w
    r2_ols = 1 - ((pred - y_val) ** 2).sum() / ((y_val - y_val.mean()) ** 2).sum()
    print("OLS val R2: {:.3f}   MLP val R2: {:.3f}".format(
        r2_ols.item(), r2_score(model, X_val, y_val)))


if __name__ == "__main__":
    main()
