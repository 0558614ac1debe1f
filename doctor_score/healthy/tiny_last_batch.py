# 1281 training rows with batches of 64 leaves a last batch of exactly one sample. LayerNorm, so that's fine.
import argparse, random
import numpy as np
import torch
from torch import nn, optim
from torch.utils.data import Dataset, DataLoader
from sklearn.datasets import load_digits


class Digits(Dataset):
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return torch.tensor(self.x[i], dtype=torch.float32), int(self.y[i])


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", default=0, type=int)
    args = ap.parse_args()
    random.seed(args.seed); np.random.seed(args.seed); torch.manual_seed(args.seed)
    torch.set_num_threads(1)

    x, y = load_digits(return_X_y=True)
    order = np.random.permutation(len(y))
    x, y = x[order] / 8 - 1, y[order]
    train_set, val_set = Digits(x[:1281], y[:1281]), Digits(x[1281:], y[1281:])
    train_dl = DataLoader(train_set, 64, shuffle=True)
    val_dl = DataLoader(val_set, 64)

    net = nn.Sequential(nn.Linear(64, 80), nn.LayerNorm(80), nn.SiLU(), nn.Linear(80, 10))
    opt = optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    lossf = nn.CrossEntropyLoss()
    for ep in range(8):
        net.train()
        total = 0.0
        for xb, yb in train_dl:
            opt.zero_grad()
            l = lossf(net(xb), yb)
            l.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            opt.step()
            total += l.item() * len(yb)
        net.eval()
        vl, vc = 0.0, 0
        with torch.no_grad():
            for xb, yb in val_dl:
                o = net(xb)
                vl += lossf(o, yb).item() * len(yb)
                vc += (o.argmax(1) == yb).sum().item()
        print(f"ep {ep} train {total/len(train_set):.4f} val {vl/len(val_set):.4f} acc {vc/len(val_set):.4f}")
    print("final acc", vc / len(val_set))


if __name__ == "__main__":
    main()
