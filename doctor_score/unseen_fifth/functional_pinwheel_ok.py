"""
Training without an optimizer object: torch.func edition.

Exercise sheet 7, "parameters are just a dict". The model is a pure function of (params, x); the update
is SGD with Nesterov momentum, written by hand. Data: points of a plane in seven curved sectors.
"""
import argparse
import math

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, grad_and_value

CLASSES = 7


def make_sectors(n, rng):
    """Sectors of a pinwheel: which one it is depends on the angle and, by the twist, on the radius."""
    r = np.sqrt(rng.uniform(0.05, 1.0, n))
    k = rng.integers(0, CLASSES, n)
    inside = rng.beta(2, 2, n)
    angle = 2 * math.pi * (k + inside) / CLASSES + 1.8 * r
    x = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(k)


def make_mlp(sizes):
    layers = []
    for a, b in zip(sizes[:-1], sizes[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def nesterov(params, velocity, grads, lr, mu=0.9):
    new_velocity = {k: mu * velocity[k] + grads[k] for k in params}
    new_params = {k: params[k] - lr * (grads[k] + mu * new_velocity[k]) for k in params}
    return new_params, new_velocity


def clip(grads, max_norm):
    norm = torch.sqrt(sum((g ** 2).sum() for g in grads.values()))
    factor = torch.clamp(max_norm / (norm + 1e-6), max=1.0)
    return {k: g * factor for k, g in grads.items()}, norm.item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--lr", type=float, default=0.1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)

    x_train, y_train = make_sectors(4000, rng)
    x_val, y_val = make_sectors(1000, rng)
    x_test, y_test = make_sectors(2000, rng)
    mean, std = x_train.mean(0), x_train.std(0)
    x_train, x_val, x_test = ((x - mean) / std for x in (x_train, x_val, x_test))

    model = make_mlp([2, 64, 64, CLASSES])
    params = {k: p.detach().clone() for k, p in model.named_parameters()}
    velocity = {k: torch.zeros_like(p) for k, p in params.items()}

    def loss_fn(params, x, y):
        return nn.functional.cross_entropy(functional_call(model, params, (x,)), y)

    step_fn = grad_and_value(loss_fn)

    def accuracy(params, x, y):
        with torch.no_grad():
            return (functional_call(model, params, (x,)).argmax(1) == y).float().mean().item()

    total_steps = args.epochs * math.ceil(len(x_train) / 64)
    step = 0
    for epoch in range(1, args.epochs + 1):
        losses, norms = [], []
        for idx in torch.randperm(len(x_train)).split(64):
            grads, loss = step_fn(params, x_train[idx], y_train[idx])
            grads, norm = clip(grads, 5.0)
            lr = args.lr * 0.5 * (1 + math.cos(math.pi * step / total_steps))
            params, velocity = nesterov(params, velocity, grads, lr)
            losses.append(loss.item())
            norms.append(norm)
            step += 1
        if epoch % 4 == 0:
            print(f"epoch {epoch:3d}  loss {np.mean(losses):.4f}  gradient norm {np.mean(norms):.3f}  "
                  f"val accuracy {accuracy(params, x_val, y_val):.4f}")

    print(f"final: test accuracy {accuracy(params, x_test, y_test):.4f} after {step} steps")


if __name__ == "__main__":
    main()
