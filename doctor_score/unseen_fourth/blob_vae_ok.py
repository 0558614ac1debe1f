"""Variational autoencoder for small grey-scale pictures of cells."""

import argparse
import random

import numpy as np
import torch
from torch import nn, optim
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

parser = argparse.ArgumentParser(description="VAE example")
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--epochs", type=int, default=15)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

torch.set_num_threads(1)
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

SIZE = 20


def draw_cell(rng):
    """An ellipse with a dark nucleus, 8 bits per pixel."""
    yy, xx = np.mgrid[:SIZE, :SIZE]
    cy, cx = rng.uniform(7, 13, 2)
    ry, rx = rng.uniform(3, 7, 2)
    angle = rng.uniform(0, np.pi)
    u = (xx - cx) * np.cos(angle) + (yy - cy) * np.sin(angle)
    v = -(xx - cx) * np.sin(angle) + (yy - cy) * np.cos(angle)
    body = 1 / (1 + np.exp(4 * ((u / rx) ** 2 + (v / ry) ** 2 - 1)))
    nucleus = np.exp(-((u**2 + v**2) / 3.0))
    picture = 230 * body - 120 * nucleus * body + rng.normal(8, 4, (SIZE, SIZE))
    return np.clip(picture, 0, 255).astype(np.uint8)


class Cells(Dataset):
    def __init__(self, pictures):
        self.pictures = pictures

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, i):
        return torch.from_numpy(self.pictures[i]).float().div(255).view(-1)


class VAE(nn.Module):
    def __init__(self, n_in=SIZE * SIZE, n_hidden=200, n_latent=8):
        super().__init__()
        self.fc1 = nn.Linear(n_in, n_hidden)
        self.fc21 = nn.Linear(n_hidden, n_latent)
        self.fc22 = nn.Linear(n_hidden, n_latent)
        self.fc3 = nn.Linear(n_latent, n_hidden)
        self.fc4 = nn.Linear(n_hidden, n_in)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        if not self.training:
            return mu
        std = torch.exp(0.5 * logvar)
        return mu + torch.randn_like(std) * std

    def decode(self, z):
        return self.fc4(F.relu(self.fc3(z)))

    def forward(self, x):
        mu, logvar = self.encode(x)
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


def loss_function(recon, x, mu, logvar):
    bce = F.binary_cross_entropy_with_logits(recon, x, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce + kld


rng = np.random.default_rng(args.seed)
pictures = [draw_cell(rng) for _ in range(2500)]
train_loader = DataLoader(Cells(pictures[:2000]), batch_size=args.batch_size, shuffle=True)
test_loader = DataLoader(Cells(pictures[2000:]), batch_size=250)
model = VAE()
optimizer = optim.Adam(model.parameters(), lr=1e-3)


def train(epoch):
    model.train()
    train_loss = 0
    for data in train_loader:
        optimizer.zero_grad()
        recon, mu, logvar = model(data)
        loss = loss_function(recon, data, mu, logvar) / len(data)
        loss.backward()
        optimizer.step()
        train_loss += loss.item() * len(data)
    print(f"====> Epoch: {epoch} Average loss: {train_loss / len(train_loader.dataset):.4f}")


def test():
    model.eval()
    test_loss, error, spread = 0, 0, 0
    with torch.no_grad():
        for data in test_loader:
            recon, mu, logvar = model(data)
            test_loss += loss_function(recon, data, mu, logvar).item()
            error += (torch.sigmoid(recon) - data).pow(2).sum().item()
            spread += (data - data.mean(0)).pow(2).sum().item()
    print(f"      test loss: {test_loss / len(test_loader.dataset):.4f} unexplained: {error / spread:.3f}")


for epoch in range(1, args.epochs + 1):
    train(epoch)
    test()
