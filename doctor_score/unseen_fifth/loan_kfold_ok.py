# Loan default -- PyTorch MLP baseline, 5-fold CV
# (script version of my notebook; upvote if you find it useful :)
import argparse

import numpy as np
import torch
import torch.nn as nn
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--folds", type=int, default=5)
parser.add_argument("--epochs", type=int, default=7)
CFG = parser.parse_args()
torch.set_num_threads(1)
np.random.seed(CFG.seed)
torch.manual_seed(CFG.seed)


# ------------------------------------------------------------------ data
def read_loans(n, seed):
    """A table in the manner of the well known peer-to-peer lending export, one row per finished loan."""
    rng = np.random.default_rng(seed)
    t = {"id": np.arange(n).astype(float)}
    t["income"] = np.exp(rng.normal(10.8, 0.5, n))
    t["loan_amnt"] = np.clip(np.exp(rng.normal(9.2, 0.6, n)), 1000, 40000)
    t["term"] = rng.choice([36.0, 60.0], n, p=[0.7, 0.3])
    t["dti"] = np.clip(rng.gamma(4, 4.5, n), 0, 60)
    t["emp_length"] = rng.integers(0, 11, n).astype(float)
    t["delinq_2yrs"] = rng.poisson(0.3, n).astype(float)
    t["inq_last_6mths"] = rng.poisson(0.7, n).astype(float)
    t["revol_util"] = np.clip(rng.normal(52, 24, n), 0, 120)
    t["open_acc"] = rng.poisson(11, n).astype(float)
    t["fico"] = np.clip(rng.normal(700, 32, n), 620, 850)
    risk = (-2.1 + 1.1 * (t["loan_amnt"] / t["income"] - 0.2) * 4 + 0.7 * (t["term"] == 60)
            + 0.05 * (t["dti"] - 18) - 0.022 * (t["fico"] - 700) + 0.5 * t["delinq_2yrs"]
            + 0.3 * t["inq_last_6mths"] + 0.01 * (t["revol_util"] - 52) - 0.05 * t["emp_length"])
    y = (rng.random(n) < 1 / (1 + np.exp(-risk))).astype(np.float32)
    t["int_rate"] = 12 + 1.2 * risk + rng.normal(0, 2, n)
    t["recoveries"] = np.where(y == 1, t["loan_amnt"] * rng.uniform(0.05, 0.4, n), 0.0)
    return t, y


table, target = read_loans(6000, CFG.seed + 17)
DROP = ["id", "recoveries"]
FEATURES = [c for c in table if c not in DROP]
X = np.stack([table[c] for c in FEATURES], axis=1).astype(np.float32)
print(f"{len(X)} rows, {len(FEATURES)} features, default rate {target.mean():.3f}")


# ----------------------------------------------------------------- model
class MLP(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.seq = nn.Sequential(
            nn.Linear(n_in, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(32, 1),
        )

    def forward(self, x):
        return self.seq(x).squeeze(1)


def batches(n, size):
    for idx in torch.randperm(n).split(size):
        if len(idx) > 1:  # batch norm cannot work with a single row
            yield idx


@torch.no_grad()
def predict(model, x):
    model.eval()
    return torch.sigmoid(model(x)).numpy()


def run_fold(fold, tr, va):
    scaler = StandardScaler().fit(X[tr])
    x_tr = torch.tensor(scaler.transform(X[tr]), dtype=torch.float32)
    x_va = torch.tensor(scaler.transform(X[va]), dtype=torch.float32)
    y_tr = torch.tensor(target[tr])
    y_va = target[va]

    model = MLP(X.shape[1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-3)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(CFG.epochs):
        model.train()
        total, seen = 0.0, 0
        for idx in batches(len(x_tr), 64):
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(model(x_tr[idx]), y_tr[idx])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
            seen += len(idx)
        if epoch % 3 == 1:
            print(f"  fold {fold} epoch {epoch + 1} loss {total / seen:.4f} "
                  f"auc {roc_auc_score(y_va, predict(model, x_va)):.4f}")
    return predict(model, x_va)


# -------------------------------------------------------------------- cv
oof = np.zeros(len(X), dtype=np.float32)
scores = []
skf = StratifiedKFold(n_splits=CFG.folds, shuffle=True, random_state=CFG.seed)
for fold, (tr, va) in enumerate(skf.split(X, target)):
    oof[va] = run_fold(fold, tr, va)
    scores.append(roc_auc_score(target[va], oof[va]))
    print(f"fold {fold}: auc {scores[-1]:.4f}")

print(f"mean of folds {np.mean(scores):.4f} +- {np.std(scores):.4f}")
print(f"final: out-of-fold auc {roc_auc_score(target, oof):.4f}")
