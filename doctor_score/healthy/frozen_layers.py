"""Transfer learning: pretrain features on digits 0-4, freeze them, train a new head on 5-9."""
import argparse
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class Net(nn.Module):
    def __init__(self, n_out):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 24, 3, padding=1), nn.ReLU(),
            nn.Conv2d(24, 32, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten())
        self.head = nn.Linear(32 * 16, n_out)

    def forward(self, x):
        return self.head(self.features(x))


def fit(net, params, x, y, epochs, lr, tag):
    opt = torch.optim.Adam(params, lr=lr)
    loss_fn = nn.CrossEntropyLoss()
    for ep in range(epochs):
        net.train()
        losses = []
        for idx in torch.randperm(len(x)).split(32):
            opt.zero_grad()
            loss = loss_fn(net(x[idx]), y[idx])
            loss.backward()
            opt.step()
            losses.append(loss.item())
        print(f"{tag} epoch {ep} loss {np.mean(losses):.4f}")


def accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        return (net(x).argmax(1) == y).float().mean().item()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    torch.set_num_threads(1)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    x, y = load_digits(return_X_y=True)
    x = torch.tensor(x / 8.0 - 1.0, dtype=torch.float32).view(-1, 1, 8, 8)
    y = torch.tensor(y)
    tr, te = train_test_split(np.arange(len(y)), test_size=0.3, random_state=args.seed)
    tr, te = torch.tensor(tr), torch.tensor(te)
    src = tr[y[tr] < 5]
    dst = tr[y[tr] >= 5]
    src_te, dst_te = te[y[te] < 5], te[y[te] >= 5]

    net = Net(5)
    fit(net, net.parameters(), x[src], y[src], 3, 1e-3, "pretrain")
    print("source test acc", accuracy(net, x[src_te], y[src_te]))

    net.features.requires_grad_(False)
    net.head = nn.Linear(32 * 16, 5)
    fit(net, [p for p in net.parameters() if p.requires_grad],
        x[dst], y[dst] - 5, 6, 2e-3, "head")
    print("target test acc", accuracy(net, x[dst_te], y[dst_te] - 5))


if __name__ == "__main__":
    main()
