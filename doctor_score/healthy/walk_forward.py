"""A time series tested walking forward: train up to t, test on what follows, go on; the test of today is the training
data of tomorrow."""
import argparse

import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(1)
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

t = torch.arange(1200.0)
series = torch.sin(t / 9) + 0.5 * torch.sin(t / 23) + 0.1 * torch.randn(1200)
windows, following = series.unfold(0, 20, 1)[:-1], series[20:]
model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
for end in range(500, 1150, 100):
    model.train()
    for _ in range(6):
        for rows in torch.randperm(end).split(32):
            opt.zero_grad()
            F.mse_loss(model(windows[rows]).squeeze(1), following[rows]).backward()
            opt.step()
    model.eval()
    with torch.no_grad():
        val = F.mse_loss(model(windows[end : end + 80]).squeeze(1), following[end : end + 80])
    print(f"up to {end}: {val.item():.4f}")
