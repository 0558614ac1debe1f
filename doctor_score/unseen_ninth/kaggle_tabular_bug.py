# %% [code]
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold, train_test_split
from torch.utils.data import DataLoader, TensorDataset

SEED = 2024
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)

# %% [code]
# Rows look like the competition's train.csv / test.csv: numeric columns and one column with many levels (merchant)
N_TRAIN, N_TEST, N_MERCHANT = 6000, 2000, 1500
N = N_TRAIN + N_TEST
merchant = np.random.randint(0, N_MERCHANT, N)
numeric = np.random.randn(N, 8)
merchant_effect = 0.6 * np.random.randn(N_MERCHANT)
score = (1.2 * numeric[:, 0] - 1.0 * numeric[:, 1] * numeric[:, 2] + 0.9 * np.abs(numeric[:, 3])
         + 0.7 * numeric[:, 4] - 0.7 + merchant_effect[merchant])
target = (np.random.rand(N) < 1 / (1 + np.exp(-1.5 * score))).astype(np.float64)

train_num, test_num = numeric[:N_TRAIN], numeric[N_TRAIN:]
train_mer, test_mer = merchant[:N_TRAIN], merchant[N_TRAIN:]
y, y_test = target[:N_TRAIN], target[N_TRAIN:]


# %% [code]
def target_mean(fit_codes, fit_y, codes, smooth=1.0):
    """Smoothed mean of the target for each level."""
    prior = fit_y.mean()
    total = np.bincount(fit_codes, weights=fit_y, minlength=N_MERCHANT)
    count = np.bincount(fit_codes, minlength=N_MERCHANT)
    return ((total + smooth * prior) / (count + smooth))[codes]


def out_of_fold_mean(codes, fit_y, n_splits=10):
    out = np.zeros(len(codes))
    for fit, rest in KFold(n_splits, shuffle=True, random_state=SEED).split(codes):
        out[rest] = target_mean(codes[fit], fit_y[fit], codes[rest])
    return out


tr, va = train_test_split(np.arange(N_TRAIN), test_size=0.2, random_state=SEED, stratify=y)

encoded = np.zeros(N_TRAIN)
encoded[:] = target_mean(train_mer, y, train_mer)
encoded_test = target_mean(train_mer, y, test_mer)

X = np.column_stack([train_num, encoded])
X_test = np.column_stack([test_num, encoded_test])
mu, sd = X[tr].mean(0), X[tr].std(0)
X, X_test = (X - mu) / sd, (X_test - mu) / sd


# %% [code]
def tensors(a, b):
    return TensorDataset(torch.tensor(a, dtype=torch.float32), torch.tensor(b, dtype=torch.float32))


train_dl = DataLoader(tensors(X[tr], y[tr]), batch_size=128, shuffle=True)
valid_dl = DataLoader(tensors(X[va], y[va]), batch_size=512)
test_dl = DataLoader(tensors(X_test, y_test), batch_size=512)

model = nn.Sequential(
    nn.Linear(X.shape[1], 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2),
    nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2),
    nn.Linear(32, 1),
)
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=1e-2)
EPOCHS = 20
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, epochs=EPOCHS, steps_per_epoch=len(train_dl))


def predict(loader):
    model.eval()
    with torch.no_grad():
        return torch.cat([torch.sigmoid(model(xb).squeeze(1)) for xb, _ in loader]).numpy()


# %% [code]
for epoch in range(EPOCHS):
    model.train()
    losses = []
    for xb, yb in train_dl:
        optimizer.zero_grad()
        loss = criterion(model(xb).squeeze(1), yb)
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}  valid auc {roc_auc_score(y[va], predict(valid_dl)):.4f}")

# %% [code]
print(f"CV score (auc): {roc_auc_score(y[va], predict(valid_dl)):.4f}")
print(f"private leaderboard (auc): {roc_auc_score(y_test, predict(test_dl)):.4f}")
