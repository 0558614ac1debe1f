# Machine Learning in Energy Systems - Exercise 6
# Task: forecast the load of the next hour from lagged values and calendar features.
#   a) build the feature table          (2 points)
#   b) train a small network            (3 points)
#   c) compare with the naive forecast  (1 point)
import argparse

import numpy as np
import torch
from torch import nn


def load_series(rng, days=220):
    """Hourly load of a small town in MW."""
    hours = np.arange(days * 24)
    hour, weekday = hours % 24, (hours // 24) % 7
    daily = 9 * np.sin((hour - 8) / 24 * 2 * np.pi) + 4 * np.sin((hour - 5) / 12 * 2 * np.pi)
    weekly = np.where(weekday >= 5, -7.0, 0.0)
    weather = np.zeros(len(hours))
    for i in range(1, len(hours)):
        weather[i] = 0.96 * weather[i - 1] + rng.normal(0, 1.1)
    return hours, 60 + daily + weekly + weather + rng.normal(0, 1.2, len(hours))


def rolling_mean(series, window):
    """Mean of the `window` values up to and including position i (like pandas rolling().mean())."""
    out = np.full(len(series), np.nan)
    c = np.cumsum(np.insert(series, 0, 0.0))
    out[window - 1:] = (c[window:] - c[:-window]) / window
    return out


def shift(series, k):
    out = np.full(len(series), np.nan)
    out[k:] = series[:-k]
    return out


# ---------------------------------------------------------------- a)
def feature_table(hours, load):
    columns = {
        "lag_1": shift(load, 1),
        "lag_2": shift(load, 2),
        "lag_3": shift(load, 3),
        "lag_24": shift(load, 24),
        "lag_168": shift(load, 168),
        "mean_3": rolling_mean(load, 3),
        "mean_24": rolling_mean(load, 24),
        "sin_hour": np.sin(hours % 24 / 24 * 2 * np.pi),
        "cos_hour": np.cos(hours % 24 / 24 * 2 * np.pi),
        "weekend": ((hours // 24) % 7 >= 5).astype(float),
    }
    table = np.stack(list(columns.values()), axis=1)
    complete = ~np.isnan(table).any(axis=1)
    return table[complete], load[complete], list(columns)


# ---------------------------------------------------------------- b)
class Forecaster(nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.hidden1 = nn.Linear(n_features, 48)
        self.hidden2 = nn.Linear(48, 48)
        self.output = nn.Linear(48, 1)

    def forward(self, x):
        x = torch.relu(self.hidden1(x))
        x = torch.relu(self.hidden2(x))
        return self.output(x).squeeze(1)


def solve(seed):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    hours, load = load_series(rng)
    X, y, names = feature_table(hours, load)

    split = int(0.8 * len(X))
    X_mean, X_std = X[:split].mean(0), X[:split].std(0)
    y_mean, y_std = y[:split].mean(), y[:split].std()
    Xn = torch.tensor((X - X_mean) / X_std, dtype=torch.float32)
    yn = torch.tensor((y - y_mean) / y_std, dtype=torch.float32)
    X_train, y_train, X_test, y_test = Xn[:split], yn[:split], Xn[split:], yn[split:]

    net = Forecaster(len(names))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    loss_function = nn.MSELoss()

    for epoch in range(1, 41):
        net.train()
        order = torch.randperm(split)
        total = 0.0
        for start in range(0, split, 64):
            batch = order[start:start + 64]
            optimizer.zero_grad()
            loss = loss_function(net(X_train[batch]), y_train[batch])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)

        net.eval()
        with torch.no_grad():
            test_loss = loss_function(net(X_test), y_test).item()
        if epoch % 5 == 0:
            print(f"epoch {epoch:2d}  RMSE train {np.sqrt(total / split) * y_std:.3f} MW   test {np.sqrt(test_loss) * y_std:.3f} MW")

    # ------------------------------------------------------------ c)
    naive = X[split:, names.index("lag_1")]
    week = X[split:, names.index("lag_168")]
    print(f"naive forecast (last hour): RMSE {np.sqrt(((naive - y[split:]) ** 2).mean()):.3f} MW")
    print(f"naive forecast (last week): RMSE {np.sqrt(((week - y[split:]) ** 2).mean()):.3f} MW")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Exercise 6")
    parser.add_argument("--seed", type=int, default=0)
    solve(parser.parse_args().seed)
