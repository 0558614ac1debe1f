"""Predict three outputs of a (simulated) boiler from five sensors."""
import argparse
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def simulate(n, rng):
    temp = rng.normal(60, 8, n)          # degrees
    pressure = rng.normal(12, 2, n)      # bar
    flow = rng.uniform(2, 9, n)          # l/s
    valve = rng.uniform(0, 1, n)
    load = rng.normal(40, 10, n)         # percent
    X = np.stack([temp, pressure, flow, valve, load], 1)
    efficiency = 0.8 + 0.05 * np.tanh((temp - 60) / 8) - 0.04 * valve ** 2
    steam = 3 * flow * (1 - 0.3 * valve) + 0.05 * load
    wear = 0.02 * (pressure - 12) ** 2 + 0.01 * load
    Y = np.stack([efficiency, steam, wear], 1)
    return X, Y + rng.normal(0, 0.03, Y.shape) * Y.std(0)


def tensor(a):
    return torch.tensor(a, dtype=torch.float32)


if __name__ == "__main__":
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--seed", type=int, default=0)
    seed = cli.parse_args().seed
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)

    X, Y = simulate(2000, np.random.default_rng(seed))
    X_train, X_val, Y_train, Y_val = train_test_split(X, Y, test_size=0.25, random_state=seed)

    x_scaler = StandardScaler().fit(X_train)
    y_scaler = StandardScaler().fit(Y_train)
    X_train = x_scaler.transform(X_train)
    Y_train = y_scaler.transform(Y_train)
    Y_val = y_scaler.transform(Y_val)

    loader = DataLoader(TensorDataset(tensor(X_train), tensor(Y_train)), batch_size=50, shuffle=True)
    val_loader = DataLoader(TensorDataset(tensor(X_val), tensor(Y_val)), batch_size=100)

    model = nn.Sequential(nn.Linear(5, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-4)
    loss_fn = nn.SmoothL1Loss()

    for epoch in range(1, 17):
        model.train()
        train_loss = 0.0
        for xb, yb in loader:
            loss = loss_fn(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            train_loss += loss.item() * len(xb)
        if epoch % 4 == 0:
            model.eval()
            with torch.no_grad():
                pred = torch.cat([model(xb) for xb, _ in val_loader])
            scores = r2_score(Y_val, pred.numpy(), multioutput="raw_values")
            print(f"epoch {epoch:2d} loss {train_loss / len(X_train):.4f} "
                  f"val loss {loss_fn(pred, tensor(Y_val)).item():.4f} val R2 {np.round(scores, 3)}")
