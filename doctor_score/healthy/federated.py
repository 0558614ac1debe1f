"""Federated averaging: in each round each client trains a copy with an optimizer of its own; the copies are averaged."""
import argparse
import copy

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

digits = load_digits()
order = torch.randperm(len(digits.target))
x, y = torch.tensor(digits.data).float()[order] / 16, torch.tensor(digits.target)[order]
clients = [TensorDataset(x[i:1400:5], y[i:1400:5]) for i in range(5)]
server = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
for rnd in range(12):
    states = []
    for client in clients:
        local = copy.deepcopy(server)
        opt = torch.optim.SGD(local.parameters(), lr=0.1, momentum=0.9)
        for xb, yb in DataLoader(client, batch_size=32, shuffle=True):
            opt.zero_grad()
            F.cross_entropy(local(xb), yb).backward()
            opt.step()
        states.append(local.state_dict())
    server.load_state_dict({name: sum(state[name] for state in states) / len(states) for name in states[0]})
    server.eval()
    with torch.no_grad():
        acc = (server(x[1400:]).argmax(1) == y[1400:]).float().mean().item()
    server.train()
    print(f"round {rnd}: {acc:.4f}")
