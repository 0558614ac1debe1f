"""SimCLR-style siamese training with in-batch negatives, judged by a k-nearest-neighbour probe."""
import argparse
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                                  nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(512, 64))
        self.project = nn.Sequential(nn.ReLU(), nn.Linear(64, 32))

    def forward(self, x):
        h = self.conv(x)
        return h, F.normalize(self.project(h), dim=1)


def view(x):
    dy, dx = torch.randint(-1, 2, (2,)).tolist()
    x = torch.roll(F.pad(x, (1, 1, 1, 1), value=-1.0), (dy, dx), (2, 3))[:, :, 1:-1, 1:-1]
    gain = 0.8 + 0.4 * torch.rand(x.size(0), 1, 1, 1)
    return x * gain + 0.2 * torch.randn_like(x)


def info_nce(a, b, tau=0.2):
    logits = a @ b.T / tau
    labels = torch.arange(len(a))
    return 0.5 * (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels))


def probe(enc, x, y, tr, te):
    enc.eval()
    with torch.no_grad():
        z = F.normalize(enc(x)[0], dim=1).numpy()
    enc.train()
    return KNeighborsClassifier(5).fit(z[tr], y[tr]).score(z[te], y[te])


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    np.random.seed(args.seed)
    d = load_digits()
    x = torch.tensor(d.images, dtype=torch.float32).unsqueeze(1) / 8 - 1
    p = np.random.permutation(len(x))
    tr, te = p[:1400], p[1400:]
    enc = Encoder()
    opt = torch.optim.AdamW(enc.parameters(), lr=2e-3, weight_decay=1e-4)
    print("probe before training %.4f" % probe(enc, x, d.target, tr, te))
    for epoch in range(8):
        losses = []
        for idx in np.array_split(np.random.permutation(tr), 14):
            xb = x[idx]
            loss = info_nce(enc(view(xb))[1], enc(view(xb))[1])
            opt.zero_grad()
            loss.backward()
            opt.step()
            losses.append(loss.item())
        print(f"epoch {epoch} InfoNCE {np.mean(losses):.4f}")
    print("probe after training %.4f" % probe(enc, x, d.target, tr, te))


if __name__ == "__main__":
    main()
