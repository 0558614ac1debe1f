# Forecast of daily demand with an LSTM
import argparse
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.metrics import mean_squared_error
from sklearn.preprocessing import MinMaxScaler
from torch.utils.data import DataLoader, TensorDataset

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
torch.set_num_threads(1)
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)

look_back = 21
epochs = 40

# four years of daily numbers
t = np.arange(1460)
level = 180 * np.exp(t / 4000)
weekly = np.array([0.95, 0.9, 0.92, 1.0, 1.12, 1.3, 0.8])[t % 7]
yearly = 1 + 0.15 * np.sin(2 * np.pi * t / 365.25)
demand = level * weekly * yearly * np.exp(np.random.normal(0, 0.03, len(t)))
demand = demand.reshape(-1, 1).astype("float32")

train_size = int(len(demand) * 0.75)
scaler = MinMaxScaler(feature_range=(0, 1))
scaler.fit(demand[:train_size])
dataset = scaler.transform(demand)
train, test = dataset[:train_size], dataset[train_size - look_back :]


def create_dataset(series):
    dataX, dataY = [], []
    for i in range(len(series) - look_back):
        dataX.append(series[i : i + look_back])
        dataY.append(series[i + look_back])
    return torch.tensor(np.array(dataX)), torch.tensor(np.array(dataY))


trainX, trainY = create_dataset(train)
testX, testY = create_dataset(test)
loader = DataLoader(TensorDataset(trainX, trainY), batch_size=32, shuffle=True)


class LSTMModel(nn.Module):
    def __init__(self, hidden_size=48):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden_size)
        self.linear = nn.Linear(hidden_size, 1)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.linear(out[:, -1])


def rmse(model, X, Y):
    model.eval()
    with torch.no_grad():
        pred = model(X)
    return mean_squared_error(scaler.inverse_transform(Y), scaler.inverse_transform(pred)) ** 0.5


model = LSTMModel()
loss_fn = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
for epoch in range(1, epochs + 1):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    mse = total / len(trainX)
    print(f"Epoch {epoch:2d} mse {mse:.5f} train RMSE {rmse(model, trainX, trainY):.1f}", end=" ")
    print(f"test RMSE {rmse(model, testX, testY):.1f}")

same_day = scaler.inverse_transform(testX[:, -7])
print(f"same day of the week before: {mean_squared_error(scaler.inverse_transform(testY), same_day) ** 0.5:.1f}")
