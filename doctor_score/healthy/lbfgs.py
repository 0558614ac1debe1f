"""Multinomial logistic regression and a small net, both fitted full batch by L-BFGS."""
import argparse
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def fit(model, x, y, steps, l2):
    opt = torch.optim.LBFGS(model.parameters(), lr=1.0, max_iter=2, history_size=10, line_search_fn="strong_wolfe")
    ce = nn.CrossEntropyLoss()

    def closure():
        opt.zero_grad()
        loss = ce(model(x), y) + l2 * sum(p.pow(2).sum() for p in model.parameters() if p.dim() > 1)
        loss.backward()
        return loss

    for i in range(steps):
        loss = opt.step(closure)
        if i % 10 == 0 or i == steps - 1:
            print(f"  step {i:3d} objective {loss.item():.5f}")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    torch.set_num_threads(1)
    np.random.seed(seed)
    torch.manual_seed(seed)
    x, y = load_digits(return_X_y=True)
    xa, xb, ya, yb = train_test_split(x, y, test_size=0.3, random_state=seed)
    xa, xb = xa / 16.0 - 0.3, xb / 16.0 - 0.3
    xa, xb = torch.tensor(xa, dtype=torch.float32), torch.tensor(xb, dtype=torch.float32)
    ya, yb = torch.tensor(ya), torch.tensor(yb)
    models = {"linear": (nn.Linear(64, 10), 5e-4),
              "mlp": (nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10)), 5e-4)}
    for name, (model, l2) in models.items():
        print(name)
        fit(model, xa, ya, 40, l2)
        with torch.no_grad():
            print(f"{name} test accuracy {(model(xb).argmax(1) == yb).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
