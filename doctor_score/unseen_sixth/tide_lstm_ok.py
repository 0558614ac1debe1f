# LSTM for tide gauge forecasting (next hour from the last 24 hours)
import argparse, random
import numpy as np
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
cfg = parser.parse_args()
np.random.seed(cfg.seed)
random.seed(cfg.seed)
torch.manual_seed(cfg.seed)

SEQ_LEN = 24
BATCH = 64
EPOCHS = 24

# ------------------------------------------------------------------ data
# two main constituents (M2 and K1) and a storm surge on top which is mostly random
hours = np.arange(5000)
tide = 1.2 * np.sin(2 * np.pi * hours / 12.42) + 0.45 * np.sin(2 * np.pi * hours / 23.93 + 1.0)
surge = np.zeros(len(hours))
for t in range(1, len(hours)):
    surge[t] = 0.6 * surge[t - 1] + 0.35 * np.random.randn()
level = (tide + surge + 3.0).astype(np.float32)

split = int(0.8 * len(level))
mean, std = level[:split].mean(), level[:split].std()
level = (level - mean) / std


def create_sequences(series, seq_len):
    xs, ys = [], []
    for i in range(len(series) - seq_len):
        xs.append(series[i:i + seq_len])
        ys.append(series[i + seq_len])
    return torch.tensor(np.array(xs)).unsqueeze(-1), torch.tensor(np.array(ys)).unsqueeze(-1)


train_x, train_y = create_sequences(level[:split], SEQ_LEN)
val_x, val_y = create_sequences(level[split:], SEQ_LEN)
print("train", train_x.shape, train_y.shape, "val", val_x.shape, val_y.shape)

train_loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(train_x, train_y), batch_size=BATCH, shuffle=True)


# ------------------------------------------------------------------ model
class TideLSTM(nn.Module):
    def __init__(self, hidden_size=64):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, 1)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(out[:, -1, :])


model = TideLSTM()
loss_function = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)

# ------------------------------------------------------------------ training
for epoch in range(1, EPOCHS + 1):
    model.train()
    epoch_loss = 0.0
    for x, y in train_loader:
        optimizer.zero_grad()
        y_pred = model(x)
        loss = loss_function(y_pred, y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        epoch_loss += loss.item() * len(x)
    scheduler.step()

    model.eval()
    with torch.no_grad():
        val_pred = model(val_x)
        val_rmse = loss_function(val_pred, val_y).sqrt() * std
    print(f"epoch {epoch:2d} | train mse {epoch_loss / len(train_x):.4f} | val rmse {val_rmse:.4f} m")

# persistence and best possible, for comparison
print("persistence rmse: %.4f m" % (np.sqrt(np.mean(np.diff(level[split:]) ** 2)) * std))
print("noise floor: 0.35 m")
