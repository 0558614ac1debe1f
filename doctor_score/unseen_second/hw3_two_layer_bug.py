"""Homework 3: a two-layer network, autograd allowed, torch.optim not allowed.

Fill in: init_params, forward, loss, update.
"""
import argparse

import torch


def make_spirals(n_per_class, n_classes, gen):
    """Returns points (N, 2) and class ids (N,), in random order."""
    xs, ys = [], []
    for c in range(n_classes):
        r = torch.linspace(0.05, 1, n_per_class)
        t = torch.linspace(c * 4, (c + 1) * 4, n_per_class) + 0.15 * torch.randn(n_per_class, generator=gen)
        xs.append(torch.stack([r * torch.sin(t), r * torch.cos(t)], 1))
        ys.append(torch.full((n_per_class,), c))
    x, y = torch.cat(xs), torch.cat(ys)
    order = torch.randperm(len(x), generator=gen)
    return x[order], y[order]


def init_params(n_in, n_hidden, n_out):
    W1 = torch.full((n_in, n_hidden), 0.1)
    b1 = torch.zeros(n_hidden)
    W2 = torch.full((n_hidden, n_out), 0.1)
    b2 = torch.zeros(n_out)
    params = [W1, b1, W2, b2]
    for p in params:
        p.requires_grad_(True)
    return params


def forward(params, x):
    W1, b1, W2, b2 = params
    h = torch.relu(x @ W1 + b1)
    return h @ W2 + b2


def nll(scores, y):
    logp = scores - torch.logsumexp(scores, dim=1, keepdim=True)
    return -logp[torch.arange(len(y)), y].mean()


def update(params, lr):
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad
            p.grad.zero_()


def accuracy(params, x, y):
    with torch.no_grad():
        return (forward(params, x).argmax(1) == y).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    gen = torch.Generator().manual_seed(seed)

    x, y = make_spirals(400, 3, gen)
    n_train = 900
    x_train, y_train, x_test, y_test = x[:n_train], y[:n_train], x[n_train:], y[n_train:]
    mean, std = x_train.mean(0), x_train.std(0)
    x_train, x_test = (x_train - mean) / std, (x_test - mean) / std

    params = init_params(2, 100, 3)
    lr, batch = 0.3, 50
    for epoch in range(120):
        perm = torch.randperm(n_train, generator=gen)
        total = 0.0
        for i in range(0, n_train, batch):
            idx = perm[i : i + batch]
            loss = nll(forward(params, x_train[idx]), y_train[idx])
            loss.backward()
            update(params, lr)
            total += loss.item() * len(idx)
        if epoch % 15 == 0 or epoch == 119:
            print(
                f"epoch {epoch:3d}  loss {total / n_train:.4f}"
                f"  train acc {accuracy(params, x_train, y_train):.3f}  test acc {accuracy(params, x_test, y_test):.3f}"
            )


if __name__ == "__main__":
    main()
