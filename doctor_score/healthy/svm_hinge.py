"""Linear SVM (hinge loss, labels -1/+1) on breast cancer, then a multi-class margin machine on wine."""
import argparse
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.model_selection import train_test_split


def standardise(train, test):
    m, s = train.mean(0), train.std(0)
    return torch.Tensor((train - m) / s), torch.Tensor((test - m) / s)


def binary(seed, C=1.0, epochs=15):
    x, y = load_breast_cancer(return_X_y=True)
    xa, xb, ya, yb = train_test_split(x, y * 2.0 - 1.0, test_size=0.3, random_state=seed, stratify=y)
    xa, xb = standardise(xa, xb)
    ya, yb = torch.Tensor(ya), torch.Tensor(yb)
    svm = nn.Linear(x.shape[1], 1)
    opt = torch.optim.SGD(svm.parameters(), lr=0.01)
    for ep in range(epochs):
        tot = 0.0
        for idx in torch.randperm(len(xa)).split(16):
            f = svm(xa[idx]).squeeze(1)
            hinge = torch.clamp(1 - ya[idx] * f, min=0).mean()
            loss = C * hinge + 1e-3 * svm.weight.pow(2).sum()
            opt.zero_grad()
            loss.backward()
            opt.step()
            tot += hinge.item() * len(idx)
        if ep % 5 == 4:
            print(f"svm epoch {ep + 1} hinge {tot / len(xa):.4f}")
    with torch.no_grad():
        return ((svm(xb).squeeze(1) * yb) > 0).float().mean().item()


def multiclass(seed):
    x, y = load_wine(return_X_y=True)
    xa, xb, ya, yb = train_test_split(x, y, test_size=0.3, random_state=seed, stratify=y)
    xa, xb = standardise(xa, xb)
    ya, yb = torch.tensor(ya), torch.tensor(yb)
    net = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
    crit = nn.MultiMarginLoss()
    opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-2)
    for step in range(150):
        idx = torch.randperm(len(xa))[:32]
        loss = crit(net(xa[idx]), ya[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 50 == 49:
            print(f"margin step {step + 1} loss {loss.item():.4f}")
    with torch.no_grad():
        return (net(xb).argmax(1) == yb).float().mean().item()


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    s = p.parse_args().seed
    torch.set_num_threads(1)
    torch.manual_seed(s)
    np.random.seed(s)
    print(f"SVM test accuracy {binary(s):.4f}")
    print(f"multi-class margin test accuracy {multiclass(s):.4f}")
