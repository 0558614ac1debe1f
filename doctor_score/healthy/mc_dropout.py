"""Regression with MC-dropout uncertainty. The ordinary test error is measured in eval mode; afterwards
dropout is switched on deliberately and the same inputs are pushed through many times."""
import argparse
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
p.add_argument("--samples", type=int, default=40)
a = p.parse_args()
torch.set_num_threads(1)
torch.manual_seed(a.seed)


def target(x):
    return torch.sin(3 * x) + 0.5 * x


x = torch.rand(1500, 1) * 3 - 1.5
y = target(x) + 0.1 * torch.randn_like(x)
train_loader = DataLoader(TensorDataset(x[:1200], y[:1200]), batch_size=40, shuffle=True)
x_test, y_test = x[1200:], y[1200:]

net = nn.Sequential(nn.Linear(1, 64), nn.ReLU(), nn.Dropout(0.1),
                    nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=3e-3, weight_decay=1e-5)
mse = nn.MSELoss()
for epoch in range(20):
    net.train()
    s = 0.0
    for xb, yb in train_loader:
        loss = mse(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        s += loss.item()
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} train mse {s / len(train_loader):.4f}")

net.eval()
with torch.no_grad():
    print(f"test mse (eval) {mse(net(x_test), y_test).item():.4f}")

# Monte Carlo dropout: train() on purpose
net.train()
grid = torch.tensor([[-3.0], [-1.0], [0.0], [1.0], [3.0]])
with torch.no_grad():
    draws = torch.stack([net(grid) for _ in range(a.samples)])
    mc_mean = torch.stack([net(x_test) for _ in range(a.samples)]).mean(0)
for g, m, sd in zip(grid.flatten(), draws.mean(0).flatten(), draws.std(0).flatten()):
    print(f"x={g.item():+.1f}  mean {m.item():+.3f}  sd {sd.item():.3f}")
print(f"test mse (MC mean of {a.samples}) {mse(mc_mean, y_test).item():.4f}")
net.eval()
