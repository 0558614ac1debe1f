"""Denoising auto-encoder: input is corrupted, target is the clean image."""
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset


class CleanDigits(Dataset):
    def __init__(self, images):
        self.images = images

    def __len__(self):
        return self.images.shape[0]

    def __getitem__(self, i):
        return self.images[i]


class DAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.ReLU(),
                                 nn.Conv2d(16, 24, 3, stride=2, padding=1), nn.ReLU())
        self.dec = nn.Sequential(nn.ConvTranspose2d(24, 16, 2, stride=2), nn.ReLU(),
                                 nn.ConvTranspose2d(16, 1, 2, stride=2), nn.Sigmoid())

    def forward(self, x):
        return self.dec(self.enc(x))


def corrupt(x, generator=None):
    noise = torch.randn(x.shape, generator=generator)
    return (x + 0.35 * noise).clamp(0, 1)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    imgs = torch.tensor(load_digits().images, dtype=torch.float32).unsqueeze(1) / 16
    imgs = imgs[torch.randperm(len(imgs))]
    loader = DataLoader(CleanDigits(imgs[:1500]), batch_size=50, shuffle=True)
    clean = imgs[1500:]
    noisy = corrupt(clean, torch.Generator().manual_seed(args.seed + 1000))
    model = DAE()
    opt = torch.optim.Adam(model.parameters(), lr=4e-3)
    print(f"noisy input mse {F.mse_loss(noisy, clean).item():.4f}")
    for epoch in range(10):
        model.train()
        total = 0.0
        for x in loader:
            loss = F.mse_loss(model(corrupt(x)), x)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        model.eval()
        with torch.no_grad():
            val = F.mse_loss(model(noisy), clean).item()
        print(f"epoch {epoch} train mse {total / len(loader):.4f} val mse {val:.4f}")
    print(f"final val mse {val:.4f}")


if __name__ == "__main__":
    main()
