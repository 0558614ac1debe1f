"""GAN on a ring of eight Gaussians; BatchNorm in the generator only."""
import argparse
import math
import torch
import torch.nn as nn


class Generator(nn.Module):
    def __init__(self, z=8, h=64):
        super().__init__()
        self.z = z
        self.net = nn.Sequential(
            nn.Linear(z, h), nn.BatchNorm1d(h), nn.ReLU(),
            nn.Linear(h, h), nn.BatchNorm1d(h), nn.ReLU(),
            nn.Linear(h, 2))

    def forward(self, n):
        return self.net(torch.randn(n, self.z))


class Discriminator(nn.Module):
    def __init__(self, h=64):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, h), nn.LeakyReLU(0.2), nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, 1))

    def forward(self, x):
        return self.net(x).squeeze(1)


def real(n):
    k = torch.randint(8, (n,)) * (2 * math.pi / 8)
    return torch.stack([k.cos(), k.sin()], 1) * 1.4 + 0.08 * torch.randn(n, 2)


def main(seed):
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    G, D = Generator(), Discriminator()
    opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
    bce = nn.BCEWithLogitsLoss()
    n = 128
    ones, zeros = torch.ones(n), torch.zeros(n)
    for it in range(1, 601):
        # discriminator
        fake = G(n).detach()
        loss_d = bce(D(real(n)), ones * 0.9) + bce(D(fake), zeros)
        opt_d.zero_grad()
        loss_d.backward()
        opt_d.step()
        # generator (the gradients this leaves in D are cleared before its next update)
        loss_g = bce(D(G(n)), ones)
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()
        if it % 100 == 0:
            G.eval()
            with torch.no_grad():
                radius = G(1000).norm(dim=1)
            G.train()
            print(f"it {it} d {loss_d.item():.3f} g {loss_g.item():.3f} radius {radius.mean():.3f} +- {radius.std():.3f}")
    G.eval()
    with torch.no_grad():
        s = G(2000)
        ang = torch.atan2(s[:, 1], s[:, 0])
        modes = torch.round(ang / (2 * math.pi / 8)).remainder(8).long()
    print("modes covered:", (torch.bincount(modes, minlength=8) > 20).sum().item(),
          "mean radius error: %.3f" % (s.norm(dim=1) - 1.4).abs().mean().item())


if __name__ == "__main__":
    a = argparse.ArgumentParser()
    a.add_argument("--seed", type=int, default=0)
    main(a.parse_args().seed)
