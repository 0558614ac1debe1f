"""Physics-informed net for u'' + u = 0 on [0, pi], u(0) = 0, u'(0) = 1 (solution sin t).
Derivatives through autograd.grad with create_graph=True; no data, only the equation."""
import argparse
import math
import torch
import torch.nn as nn


class Field(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, t):
        return self.layers(2 * t / math.pi - 1)      # input scaled to [-1, 1]


def grad(u, t):
    return torch.autograd.grad(u, t, torch.ones_like(u), create_graph=True)[0]


def residual(net, n):
    t = (torch.rand(n, 1) * math.pi).requires_grad_(True)
    u = net(t)
    return grad(grad(u, t), t) + u


def boundary(net):
    t0 = torch.zeros(1, 1, requires_grad=True)
    u0 = net(t0)
    return u0.pow(2).mean() + (grad(u0, t0) - 1).pow(2).mean()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=800)
    a = ap.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    net = Field()
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    sched = torch.optim.lr_scheduler.ExponentialLR(opt, gamma=0.997)
    grid = torch.linspace(0, math.pi, 101).unsqueeze(1)
    for step in range(a.steps):
        pde, bc = residual(net, 64).pow(2).mean(), boundary(net)
        loss = pde + 5 * bc
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if step % 100 == 0:
            print(f"step {step:4d} pde {pde.item():.5f} bc {bc.item():.5f}")
    with torch.no_grad():
        err = (net(grid) - torch.sin(grid)).abs().max().item()
    print(f"largest error against sin(t): {err:.4f}")


if __name__ == "__main__":
    main()
