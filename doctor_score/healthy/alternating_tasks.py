"""Multi-task network: one trunk, two heads (which digit? how much ink?), tasks alternate
step by step, so each head has no gradient on every other step."""
import argparse
import itertools
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class MultiTask(nn.Module):
    def __init__(self, hidden=96):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.heads = nn.ModuleDict({"digit": nn.Linear(hidden, 10), "ink": nn.Linear(hidden, 1)})

    def forward(self, x, task):
        return self.heads[task](self.trunk(x))


def loss_for(task, out, target):
    return F.cross_entropy(out, target) if task == "digit" else F.mse_loss(out.squeeze(1), target)


def endless(indices, bs):
    while True:
        for chunk in indices[torch.randperm(len(indices))].split(bs):
            yield chunk


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ns = ap.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(ns.seed)

    d = load_digits()
    x = torch.tensor(d.data, dtype=torch.float32)
    perm = torch.randperm(len(x))
    tr, te = perm[:1400], perm[1400:]
    ink = x.sum(1)
    ink = (ink - ink[tr].mean()) / ink[tr].std()
    x = x / 8 - 1
    targets = {"digit": torch.tensor(d.target), "ink": ink}

    model = MultiTask()
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)
    feeds = {t: endless(tr, 64) for t in targets}
    running = {t: [] for t in targets}
    for step, task in zip(range(400), itertools.cycle(["digit", "ink"])):
        b = next(feeds[task])
        loss = loss_for(task, model(x[b], task), targets[task][b])
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        running[task].append(loss.item())
        if step % 100 == 99:
            print("step", step + 1, {t: round(sum(v[-25:]) / 25, 4) for t, v in running.items()})
    model.eval()
    with torch.no_grad():
        acc = (model(x[te], "digit").argmax(1) == targets["digit"][te]).float().mean().item()
        mse = loss_for("ink", model(x[te], "ink"), ink[te]).item()
    print(f"test digit acc {acc:.4f}  ink mse {mse:.4f}")
