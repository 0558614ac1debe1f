import argparse
import numpy as np
import torch as th
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedShuffleSplit

EPOCHS, BS, MAX_LR = 12, 64, 0.1


class Block(nn.Module):
    """pre-activation residual block on vectors"""
    def __init__(self, d):
        super().__init__()
        self.norm, self.lin1, self.lin2 = nn.LayerNorm(d), nn.Linear(d, 2 * d), nn.Linear(2 * d, d)

    def forward(self, x):
        return x + self.lin2(th.relu(self.lin1(self.norm(x))))


def data(seed):
    x, y = load_digits(return_X_y=True)
    tr, va = next(StratifiedShuffleSplit(1, test_size=0.25, random_state=seed).split(x, y))
    mean, std = x[tr].mean(0), x[tr].std()
    x = (x - mean) / std
    t = lambda a, dt: th.as_tensor(a, dtype=dt)
    return t(x[tr], th.float32), t(y[tr], th.long), t(x[va], th.float32), t(y[va], th.long)


def run(seed):
    th.set_num_threads(1)
    th.manual_seed(seed)
    np.random.seed(seed)
    xt, yt, xv, yv = data(seed)
    net = nn.Sequential(nn.Linear(64, 64), Block(64), Block(64), nn.LayerNorm(64), nn.Linear(64, 10))
    opt = th.optim.SGD(net.parameters(), lr=MAX_LR / 25, momentum=0.9, weight_decay=5e-4, nesterov=True)
    steps = (len(xt) + BS - 1) // BS
    sched = th.optim.lr_scheduler.OneCycleLR(opt, max_lr=MAX_LR, epochs=EPOCHS, steps_per_epoch=steps)
    crit = nn.CrossEntropyLoss(label_smoothing=0.1)
    for ep in range(EPOCHS):
        net.train()
        ls = []
        for ix in th.randperm(len(xt)).split(BS):
            opt.zero_grad()
            loss = crit(net(xt[ix]), yt[ix])
            loss.backward()
            opt.step()
            sched.step()
            ls.append(loss.item())
        net.eval()
        with th.no_grad():
            out = net(xv)
            print(f"ep {ep:2d} lr {sched.get_last_lr()[0]:.5f} train {np.mean(ls):.4f} "
                  f"val {crit(out, yv).item():.4f} acc {(out.argmax(1) == yv).float().mean().item():.4f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    run(ap.parse_args().seed)
