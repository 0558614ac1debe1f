# Exercise 4: a two-layer network without torch.nn and without an optimizer.
# Fill in the forward pass and the update rule.  Expected accuracy: well above 90 %.
import argparse

import numpy as np
import torch
from sklearn.datasets import make_moons

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
torch.manual_seed(seed)
np.random.seed(seed)
torch.set_num_threads(1)

X, Y = make_moons(n_samples=1200, noise=0.15, random_state=seed)
X_tr, X_va = X[:900], X[900:]
mu, sd = X_tr.mean(0), X_tr.std(0)
X_tr = torch.tensor((X_tr - mu) / sd).float()
X_va = torch.tensor((X_va - mu) / sd).float()
Y_tr = torch.tensor(Y[:900]).float().view(-1, 1)
Y_va = torch.tensor(Y[900:]).float().view(-1, 1)

H = 24
W1 = torch.ones(2, H) * 0.1
b1 = torch.zeros(H)
W2 = torch.ones(H, 1) * 0.1
b2 = torch.zeros(1)
weights = [W1, b1, W2, b2]
for w in weights:
    w.requires_grad_()


def forward(x):
    h = torch.tanh(x @ W1 + b1)
    return h @ W2 + b2


def bce(z, y):
    return torch.nn.functional.binary_cross_entropy_with_logits(z, y)


lr = 0.5
batch = 50
for epoch in range(40):
    perm = torch.randperm(len(X_tr))
    running = 0
    for i in range(0, len(X_tr), batch):
        idx = perm[i:i + batch]
        loss = bce(forward(X_tr[idx]), Y_tr[idx])
        loss.backward()
        with torch.no_grad():
            for w in weights:
                w -= lr * w.grad
                w.grad.zero_()
        running += loss.item() * len(idx)
    if epoch % 5 == 4:
        with torch.no_grad():
            z = forward(X_va)
            acc = ((z > 0).float() == Y_va).float().mean().item()
        print("epoch %d  train loss %.4f  val loss %.4f  val acc %.3f"
              % (epoch + 1, running / len(X_tr), bce(z, Y_va).item(), acc))
