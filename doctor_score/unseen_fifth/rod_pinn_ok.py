"""Physics-informed network for a heated rod.

Solve   -u''(x) = q(x)   on (0, 1),   u(0) = 0,   u(1) = 0.5
with a network u(x) and no data but the equation and the two ends. The exact solution is
u(x) = sin(2 pi x) / 2 + x^2 / 2, so that we know how good the network is.
"""
import argparse
import math

import numpy as np
import torch
import torch.nn as nn


def exact(x):
    return 0.5 * torch.sin(2 * math.pi * x) + 0.5 * x ** 2


def heat_source(x):
    return 2 * math.pi ** 2 * torch.sin(2 * math.pi * x) - 1.0


class PINN(nn.Module):
    def __init__(self, width=24, depth=3):
        super().__init__()
        layers = [nn.Linear(1, width), nn.Tanh()]
        for _ in range(depth - 1):
            layers += [nn.Linear(width, width), nn.Tanh()]
        layers.append(nn.Linear(width, 1))
        self.net = nn.Sequential(*layers)
        self.apply(self._init_weights)

    @staticmethod
    def _init_weights(m):
        if isinstance(m, nn.Linear):
            nn.init.xavier_normal_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        # the rod's coordinate is 0..1; tanh likes it centered
        return self.net(2 * x - 1)


def derivative(y, x):
    return torch.autograd.grad(y, x, grad_outputs=torch.ones_like(y), create_graph=True)[0]


def residual(model, x):
    u = model(x)
    u_xx = derivative(derivative(u, x), x)
    return u_xx + heat_source(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--points", type=int, default=64)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    np.random.seed(args.seed)
    torch.set_num_threads(1)

    model = PINN()
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.steps, eta_min=1e-5)

    ends = torch.tensor([[0.0], [1.0]])
    u_ends = torch.tensor([[0.0], [0.5]])
    x_test = torch.linspace(0, 1, 201).unsqueeze(1)

    for step in range(args.steps):
        # new collocation points each time: one in each of `points` equal cells
        x = (torch.arange(args.points).unsqueeze(1) + torch.rand(args.points, 1)) / args.points
        x.requires_grad_(True)

        loss_pde = residual(model, x).pow(2).mean()
        loss_bc = (model(ends) - u_ends).pow(2).mean()
        loss = loss_pde + 100.0 * loss_bc

        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()

        if step % 300 == 0 or step == args.steps - 1:
            with torch.no_grad():
                err = (model(x_test) - exact(x_test)).norm() / exact(x_test).norm()
            print(f"step {step:5d}   pde {loss_pde.item():10.5f}   ends {loss_bc.item():.2e}   "
                  f"relative error {err.item():.4f}")

    with torch.no_grad():
        diff = model(x_test) - exact(x_test)
        rel = (diff.norm() / exact(x_test).norm()).item()
    print(f"final: relative L2 error {rel:.5f}, largest error {diff.abs().max().item():.5f}")


if __name__ == "__main__":
    main()
