"""Keeps an EMA copy (deepcopy, updated by hand) and an SWA average (torch.optim.swa_utils).
BatchNorm statistics of the SWA model are recomputed with update_bn before it is evaluated."""
import argparse
import copy
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset, random_split


@torch.no_grad()
def ema_update(ema, model, decay):
    for e, p in zip(ema.parameters(), model.parameters()):
        e.lerp_(p, 1 - decay)
    for e, b in zip(ema.buffers(), model.buffers()):
        e.copy_(b)


@torch.no_grad()
def accuracy(model, loader):
    snapshot = copy.deepcopy(model).eval()
    good = sum((snapshot(x).argmax(1) == y).sum().item() for x, y in loader)
    return good / len(loader.dataset)


def main(seed):
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    d = load_digits()
    ds = TensorDataset(torch.tensor(d.data, dtype=torch.float32) / 8 - 1, torch.tensor(d.target))
    train, test = random_split(ds, [1440, len(ds) - 1440])
    train, test = DataLoader(train, 48, shuffle=True), DataLoader(test, 120)

    model = nn.Sequential(nn.Linear(64, 96), nn.BatchNorm1d(96), nn.ReLU(),
                          nn.Linear(96, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 10))
    ema = copy.deepcopy(model)
    ema.requires_grad_(False)
    swa = AveragedModel(model)
    opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    epochs, swa_start = 10, 6
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=epochs)
    swa_sched = SWALR(opt, swa_lr=0.02, anneal_epochs=2)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for x, y in train:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            opt.step()
            ema_update(ema, model, 0.98)
            total += loss.item() * len(y)
        if epoch >= swa_start:
            swa.update_parameters(model)
            swa_sched.step()
        else:
            cosine.step()
        print(f"epoch {epoch} loss {total / len(train.dataset):.4f} acc {accuracy(model, test):.4f} ema {accuracy(ema, test):.4f}")
    update_bn(train, swa)
    print(f"final: model {accuracy(model, test):.4f} ema {accuracy(ema, test):.4f} swa {accuracy(swa, test):.4f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--seed", type=int, default=0)
    main(ap.parse_args().seed)
