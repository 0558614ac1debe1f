"""Autoencoder for 8x8 digits with a 12-number code."""
import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split


class DigitImages(Dataset):
    def __init__(self):
        self.x = torch.tensor(load_digits().data, dtype=torch.float32) / 16

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i]


class Autoencoder(nn.Module):
    def __init__(self, code=12):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, code))
        self.decoder = nn.Sequential(nn.Linear(code, 96), nn.ReLU(), nn.Linear(96, 64), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))


def get_loaders(batch_size, seed):
    dataset = DigitImages()
    n_val = 360
    train_set, val_set = random_split(
        dataset, [len(dataset) - n_val, n_val], generator=torch.Generator().manual_seed(seed)
    )
    train_loader = DataLoader(dataset, batch_size=batch_size, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=batch_size, shuffle=False)
    return train_loader, val_loader


def reconstruction_error(model, loader, loss_fn):
    model.eval()
    total = n = 0
    with torch.no_grad():
        for x in loader:
            total += loss_fn(model(x), x).item() * len(x)
            n += len(x)
    return total / n


def main(seed):
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    train_loader, val_loader = get_loaders(64, seed)
    model = Autoencoder()
    loss_fn = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

    for epoch in range(25):
        model.train()
        epoch_loss = seen = 0
        for x in train_loader:
            recon = model(x)
            loss = loss_fn(recon, x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            epoch_loss += loss.item() * len(x)
            seen += len(x)
        if epoch % 4 == 0:
            val = reconstruction_error(model, val_loader, loss_fn)
            print(f"Epoch {epoch}: train_mse={epoch_loss / seen:.5f} val_mse={val:.5f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", default=0, type=int)
    main(parser.parse_args().seed)
