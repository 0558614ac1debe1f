"""The training of `loopwright train digits-mlp --no-task.augment --epochs 5 --threads 1`, without the engine.

Plain PyTorch from top to bottom: what the engine adds is the record, the checkpoints and the checks, not other
arithmetic. A test proves that both give the same weights, bit for bit. Only two things come from Loopwright: the
order of the samples (a keyed permutation) and the seeds (integers folded into one). Run it: python examples/flat.py
"""

import math

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

from loopwright.data import Permutation, stratified
from loopwright.seeding import Purpose, fold

SEED, EPOCHS, BATCH, LR, WARMUP, SMOOTHING = 0, 5, 64, 3e-3, 0.1, 0.1


def digits() -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Images (N, 1, 8, 8) in [-1, 1] and labels (N,) of the three splits."""
    bunch = load_digits()
    image = torch.from_numpy(bunch.images).float().unsqueeze(1) / 8 - 1
    label = torch.from_numpy(bunch.target).long()
    parts = stratified(bunch.target, {"train": 0.7, "val": 0.15, "test": 0.15}, 42)
    return {split: (image[rows], label[rows]) for split, rows in parts.items()}


def perceptron() -> nn.Module:
    """64 - 256 - 256 - 10 with dropout."""
    torch.manual_seed(fold(SEED, Purpose.INIT))
    hidden = [nn.Linear(64, 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.2)]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(256, 10))


def train() -> nn.Module:
    """Forward, loss, backward, clip, step, zero_grad; five epochs of it."""
    torch.set_num_threads(1)
    images, labels = digits()["train"]
    size = len(images)
    model = perceptron()
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": 0.01}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=LR, fused=True)
    epoch_length = math.ceil(size / BATCH)
    total = EPOCHS * epoch_length
    warmup = round(WARMUP * total)
    for step in range(total):
        epoch, within = divmod(step, epoch_length)
        positions = np.arange(within * BATCH, min((within + 1) * BATCH, size))
        samples = torch.from_numpy(Permutation(size, fold(SEED, Purpose.SHUFFLE, epoch)).take(positions))
        decay = 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))
        for group in optimizer.param_groups:
            group["lr"] = LR * ((step + 1) / warmup if step < warmup else decay)
        torch.manual_seed(fold(SEED, Purpose.STEP, step, 0))
        logits = model(images[samples])
        loss = F.cross_entropy(logits, labels[samples], reduction="sum", label_smoothing=SMOOTHING) / len(samples)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    return model


if __name__ == "__main__":
    trained = train().eval()
    images, labels = digits()["test"]
    print(f"test accuracy {(trained(images).argmax(-1) == labels).float().mean():.4f}")
