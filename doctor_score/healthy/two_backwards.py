"""Semi-supervised consistency training: the supervised and the unsupervised loss are
backpropagated one after the other (to save memory) before a single optimizer step."""
import argparse
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
ap.add_argument("--weight", type=float, default=0.5)
args = ap.parse_args()
torch.set_num_threads(1)
torch.manual_seed(args.seed)
rng = np.random.RandomState(args.seed)

d = load_digits()
idx = rng.permutation(len(d.target))
X = torch.FloatTensor(d.data / 8.0 - 1.0)
Y = torch.LongTensor(d.target)
lab, unl, test = idx[:300], idx[300:1400], idx[1400:]

net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)


def augment(x):
    return x + 0.15 * torch.randn_like(x)


history = []
for step in range(400):
    li = rng.choice(lab, 32, replace=False)
    ui = rng.choice(unl, 64, replace=False)
    optimizer.zero_grad()

    sup = F.cross_entropy(net(augment(X[li])), Y[li])
    sup.backward()

    with torch.no_grad():
        target = net(X[ui]).softmax(-1)
    cons = F.mse_loss(net(augment(X[ui])).softmax(-1), target)
    (args.weight * cons).backward()

    optimizer.step()
    history.append((sup.item(), cons.item()))
    if (step + 1) % 80 == 0:
        s, c = np.mean(history[-80:], axis=0)
        print(f"step {step + 1}: supervised {s:.4f} consistency {c:.5f}")

net.eval()
with torch.no_grad():
    acc = (net(X[test]).argmax(1) == Y[test]).float().mean().item()
print(f"test accuracy with 300 labels: {acc:.4f}")
