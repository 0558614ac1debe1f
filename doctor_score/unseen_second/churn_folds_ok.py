# ---- Bank churn, simple NN baseline, 3 folds ----
import argparse
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
SEED = ap.parse_args().seed


class CFG:
    n_folds = 3
    epochs = 8
    bs = 64
    lr = 1e-3
    wd = 1e-5


def seed_everything(s):
    random.seed(s)
    np.random.seed(s)
    torch.manual_seed(s)


seed_everything(SEED)
torch.set_num_threads(1)

# %% data
N = 3000
age = np.random.uniform(18, 80, N)
salary = np.random.lognormal(10.8, 0.4, N)
balance = np.random.gamma(2.0, 30000, N)
tenure = np.random.randint(0, 11, N)
products = np.random.randint(1, 5, N)
score = np.random.normal(650, 90, N)
active = np.random.randint(0, 2, N)
z = (
    0.07 * (age - 49)
    - 1.4 * active
    + 0.9 * (products - 2.5) ** 2
    + 1.1 * np.log(balance / 60000 + 0.1)
    - 0.008 * (score - 650)
    - 0.3
)
y = (np.random.rand(N) < 1 / (1 + np.exp(-1.5 * z))).astype(np.float32)
FEATURES = ["age", "salary", "balance", "tenure", "products", "score", "active"]
X = np.stack([age, salary, balance, tenure, products, score, active], 1)
print(dict(zip(FEATURES, X.mean(0).round(1))), "target mean", y.mean().round(3))


# %% model
class Net(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.seq = nn.Sequential(
            nn.Linear(n, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1)
        )

    def forward(self, x):
        return self.seq(x).squeeze(-1)


# %% cv
oof = np.zeros(N)
skf = StratifiedKFold(n_splits=CFG.n_folds, shuffle=True, random_state=SEED)
for fold, (tr, va) in enumerate(skf.split(X, y)):
    scaler = StandardScaler().fit(X[tr])
    X_tr = torch.tensor(scaler.transform(X[tr]), dtype=torch.float32)
    X_va = torch.tensor(scaler.transform(X[va]), dtype=torch.float32)
    y_tr, y_va = torch.tensor(y[tr]), torch.tensor(y[va])

    net = Net(len(FEATURES))
    opt = torch.optim.AdamW(net.parameters(), lr=CFG.lr, weight_decay=CFG.wd)
    crit = nn.BCEWithLogitsLoss()
    dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X_tr, y_tr), batch_size=CFG.bs, shuffle=True)

    for ep in range(CFG.epochs):
        net.train()
        tot = 0.0
        for xb, yb in dl:
            opt.zero_grad()
            loss = crit(net(xb), yb)
            loss.backward()
            opt.step()
            tot += loss.item() * len(xb)
        net.eval()
        with torch.no_grad():
            logit = net(X_va)
            vl = crit(logit, y_va).item()
        p = torch.sigmoid(logit).numpy()
        print(f"fold {fold} ep {ep:02d}  trn {tot / len(tr):.4f}  val {vl:.4f}  auc {roc_auc_score(y[va], p):.4f}")
    oof[va] = p

print("OOF AUC", round(roc_auc_score(y, oof), 4))
