"""Forecast the next hour of a town's electricity load from the last two days with a GRU."""
import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

WINDOW = 48


def make_load(hours, rng):
    """Daily and weekly rhythm, a slow drift with the seasons, and weather that persists for a while."""
    t = np.arange(hours)
    day = np.sin(2 * np.pi * (t % 24 - 7) / 24) + 0.4 * np.sin(4 * np.pi * (t % 24 - 3) / 24)
    weekend = np.where((t // 24) % 7 >= 5, 0.6, 1.0)
    season = 0.3 * np.sin(2 * np.pi * t / (24 * 90))
    weather = np.zeros(hours)
    for i in range(1, hours):
        weather[i] = 0.95 * weather[i - 1] + 0.06 * rng.standard_normal()
    return 420 + 110 * (day * weekend + season + weather) + 8 * rng.standard_normal(hours)


class WindowDataset(Dataset):
    def __init__(self, series):
        self.series = torch.tensor(series, dtype=torch.float32)

    def __len__(self):
        return len(self.series) - WINDOW

    def __getitem__(self, i):
        x = self.series[i:i + WINDOW].unsqueeze(-1)
        y = self.series[i + WINDOW]
        return x, y


class LoadGRU(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x):
        out, _ = self.gru(x)
        return self.head(self.drop(out[:, -1])).squeeze(-1)


def predict(model, loader):
    model.eval()
    preds, trues = [], []
    with torch.no_grad():
        for x, y in loader:
            preds.append(model(x).flatten())
            trues.append(y)
    return torch.cat(preds), torch.cat(trues)


def predict_interval(model, loader, passes=15):
    """Dropout stays on for these passes, to get a spread of forecasts (Gal & Ghahramani, 2016)."""
    model.eval()
    model.drop.train()
    with torch.no_grad():
        runs = torch.stack([torch.cat([model(x).flatten() for x, _ in loader]) for _ in range(passes)])
    model.eval()
    return runs.std(dim=0).mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=14)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    np.random.seed(args.seed)
    torch.set_num_threads(1)

    rng = np.random.default_rng(args.seed)
    load = make_load(24 * 140, rng)
    n_train, n_val = 24 * 98, 24 * 21
    mean, std = load[:n_train].mean(), load[:n_train].std()
    scaled = (load - mean) / std
    train_set = WindowDataset(scaled[:n_train])
    val_set = WindowDataset(scaled[n_train:n_train + n_val])
    test_set = WindowDataset(scaled[n_train + n_val:])

    train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=256)  # in the order of time
    test_loader = DataLoader(test_set, batch_size=256)

    model = LoadGRU()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=5, gamma=0.4)
    criterion = nn.MSELoss()

    for epoch in range(1, args.epochs + 1):
        model.train()
        losses = []
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
        pred, true = predict(model, val_loader)
        rmse = (pred - true).pow(2).mean().sqrt().item() * std
        print(f"epoch {epoch:2d}  train mse {np.mean(losses):.4f}  val rmse {rmse:.1f} MW")

    pred, true = predict(model, test_loader)
    rmse = (pred - true).pow(2).mean().sqrt().item() * std
    naive = np.sqrt(np.mean((load[n_train + n_val + WINDOW:] - load[n_train + n_val + WINDOW - 1:-1]) ** 2))
    spread = predict_interval(model, test_loader) * std
    print(f"model uncertainty on the test weeks: {spread:.1f} MW")
    print(f"final: test rmse {rmse:.1f} MW (repeating the last hour: {naive:.1f} MW)")


if __name__ == "__main__":
    main()
