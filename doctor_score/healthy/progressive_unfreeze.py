"""Train a new head on a pretrained trunk first, then unfreeze the trunk and rebuild the
optimizer once with a smaller learning rate for it."""
import argparse
import torch
from torch import nn
from sklearn.datasets import load_digits


def parse():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    return ap.parse_args()


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 48), nn.ReLU())
        self.head = nn.Linear(48, 2)

    def forward(self, x):
        return self.head(self.trunk(x))


def epoch(model, opt, x, y):
    model.train()
    total = 0.0
    for b in torch.randperm(len(x)).split(32):
        loss = nn.functional.cross_entropy(model(x[b]), y[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(b)
    return total / len(x)


@torch.no_grad()
def accuracy(model, x, y):
    model.eval()
    return (model(x).argmax(1) == y).float().mean().item()


def main():
    args = parse()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    d = load_digits()
    x, y = torch.tensor(d.data, dtype=torch.float32) / 8 - 1, torch.tensor(d.target)
    perm = torch.randperm(len(x))
    pre, tr, te = perm[:700], perm[700:1400], perm[1400:]

    model = Model()
    parity = y % 2
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)
    for e in range(8):
        print(f"pretrain (odd or even) {e} loss {epoch(model, opt, x[pre], parity[pre]):.4f}")

    model.head = nn.Linear(48, 10)
    for p in model.trunk.parameters():
        p.requires_grad = False
    opt = torch.optim.Adam(model.head.parameters(), lr=3e-3)
    for e in range(6):
        print(f"stage 1 (head) {e} loss {epoch(model, opt, x[tr], y[tr]):.4f}")
    print(f"stage 1 test acc {accuracy(model, x[te], y[te]):.4f}")

    for p in model.trunk.parameters():
        p.requires_grad = True
    opt = torch.optim.Adam([{"params": model.trunk.parameters(), "lr": 5e-4},
                            {"params": model.head.parameters(), "lr": 1e-3}])
    for e in range(10):
        print(f"stage 2 (all) {e} loss {epoch(model, opt, x[tr], y[tr]):.4f}")
    print(f"final test acc {accuracy(model, x[te], y[te]):.4f}")


if __name__ == "__main__":
    main()
