"""Reptile on sine waves: for each task a copy of the network and an SGD of its own; the network moves towards it."""
import argparse
import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(1)
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

model = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))


def adapted(steps):
    amplitude, phase = 0.5 + 4.5 * torch.rand(1), math.pi * torch.rand(1)
    fast = copy.deepcopy(model)
    inner = torch.optim.SGD(fast.parameters(), lr=0.02)
    for _ in range(steps):
        x = torch.rand(20, 1) * 10 - 5
        loss = F.mse_loss(fast(x), amplitude * torch.sin(x + phase))
        inner.zero_grad()
        loss.backward()
        inner.step()
    x = torch.linspace(-5, 5, 50)[:, None]
    with torch.no_grad():
        return fast, F.mse_loss(fast(x), amplitude * torch.sin(x + phase)).item()


for it in range(300):
    fast, _ = adapted(5)
    with torch.no_grad():
        for weight, moved in zip(model.parameters(), fast.parameters()):
            weight += 0.1 * (1 - it / 300) * (moved - weight)
    if it % 50 == 49:
        print(f"iteration {it}: {sum(adapted(10)[1] for _ in range(5)) / 5:.4f}")
