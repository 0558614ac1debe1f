# Houses: price and "sold within 30 days" from one network, 3-fold CV
import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
N_FOLDS = 3
N_EPOCHS = 20
BATCH_SIZE = 64
LR = 2e-3


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def make_table(n=3000):
    area = np.random.gamma(6.0, 22.0, n) + 30
    rooms = np.clip(np.round(area / 28 + np.random.normal(0, 0.8, n)), 1, None)
    age = np.random.uniform(0, 90, n)
    dist = np.random.exponential(7.0, n)
    quality = np.random.randint(1, 11, n)
    garage = np.random.binomial(2, 0.55, n)
    lot = area * np.random.uniform(1.2, 5.0, n)
    photos = np.random.poisson(9, n)
    price = 1500 * area * (0.6 + 0.08 * quality) * np.exp(-0.04 * dist)
    price = price + 12000 * garage + 60 * lot - 500 * age
    price = price * np.exp(np.random.normal(0, 0.07, n))
    appeal = 0.5 * (photos - 9) - 0.04 * (age - 45) + 1.2 * (garage - 1.1) - 0.5 * np.abs(rooms - 4)
    fast = (appeal + 0.8 + np.random.logistic(0, 0.6, n) > 0).astype(float)
    X = np.stack([area, rooms, age, dist, quality, garage, lot, photos], axis=1)
    return X, price, fast


class TwoHeads(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(n_in, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.price = nn.Linear(64, 1)
        self.fast = nn.Linear(64, 1)

    def forward(self, x):
        h = self.trunk(x)
        return self.price(h).squeeze(1), self.fast(h).squeeze(1)


def to_t(a):
    return torch.tensor(a, dtype=torch.float32)


def predict(model, X):
    model.eval()
    with torch.no_grad():
        price, fast = model(X)
    return price.numpy(), torch.sigmoid(fast).numpy()


def run_fold(fold, X, price, fast, tr, va):
    sc = StandardScaler().fit(X[tr])
    X_tr, X_va = to_t(sc.transform(X[tr])), to_t(sc.transform(X[va]))
    train_ds = TensorDataset(X_tr, to_t(price[tr]), to_t(fast[tr]))
    train_dl = DataLoader(train_ds, batch_size=BATCH_SIZE, shuffle=True)

    model = TwoHeads(X.shape[1])
    opt = torch.optim.Adam(model.parameters(), lr=LR)
    for epoch in range(N_EPOCHS):
        model.train()
        tr_loss = 0.0
        for xb, pb, fb in train_dl:
            opt.zero_grad()
            price_hat, fast_hat = model(xb)
            loss = F.mse_loss(price_hat, pb) + F.binary_cross_entropy_with_logits(fast_hat, fb)
            loss.backward()
            opt.step()
            tr_loss += loss.item() * len(xb) / len(tr)
        p_price, p_fast = predict(model, X_va)
        if epoch % 4 == 3:
            r2, auc = r2_score(price[va], p_price), roc_auc_score(fast[va], p_fast)
            print(f"fold {fold} epoch {epoch + 1:2d} loss {tr_loss:.4g} | val R2 {r2:.3f} AUC {auc:.3f}")
    return p_price, p_fast


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    SEED = ap.parse_args().seed
    seed_everything(SEED)

    X, price, fast = make_table()
    oof_price, oof_fast = np.zeros(len(X)), np.zeros(len(X))
    for fold, (tr, va) in enumerate(KFold(N_FOLDS, shuffle=True, random_state=SEED).split(X)):
        oof_price[va], oof_fast[va] = run_fold(fold, X, price, fast, tr, va)
    print(f"CV  R2 {r2_score(price, oof_price):.4f}  AUC {roc_auc_score(fast, oof_fast):.4f}")
