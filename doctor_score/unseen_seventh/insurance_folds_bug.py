# %% [markdown]
# # Insurance cross-sell: simple NN baseline (5 folds)
# Positive class ~10 %, so I up-sample the buyers. Upvote if you find it useful :)

# %%
import argparse, random, gc
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import TensorDataset, DataLoader
from sklearn.datasets import make_classification
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.metrics import roc_auc_score


class CFG:
    n_folds = 5
    epochs = 8
    bs = 128
    lr = 2e-3
    wd = 1e-2
    hidden = 128


ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
CFG.seed = ap.parse_args().seed


def seed_everything(s):
    random.seed(s)
    np.random.seed(s)
    torch.manual_seed(s)


seed_everything(CFG.seed)
torch.set_num_threads(1)

# %%
# stand-in for train.csv / test.csv (with the private labels)
X_all, y_all = make_classification(n_samples=8000, n_features=30, n_informative=8, n_redundant=4,
                                   n_clusters_per_class=3, weights=[0.9], flip_y=0.03,
                                   class_sep=0.8, random_state=CFG.seed)
X, X_test, y, y_test = train_test_split(X_all, y_all, test_size=0.4, stratify=y_all, random_state=CFG.seed)
print('train', X.shape, 'test', X_test.shape, 'positives', y.mean().round(3))


def upsample(X, y):
    """repeat the buyers until both classes are equally large"""
    pos, neg = np.where(y == 1)[0], np.where(y == 0)[0]
    extra = np.random.choice(pos, len(neg) - len(pos), replace=True)
    idx = np.concatenate([pos, neg, extra])
    np.random.shuffle(idx)
    return X[idx], y[idx]


# %%
class TabNN(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(n_in, CFG.hidden), nn.BatchNorm1d(CFG.hidden), nn.ReLU(), nn.Dropout(0.25),
            nn.Linear(CFG.hidden, CFG.hidden), nn.BatchNorm1d(CFG.hidden), nn.ReLU(), nn.Dropout(0.25),
            nn.Linear(CFG.hidden, 1),
        )

    def forward(self, x):
        return self.net(x).squeeze(1)


def make_dl(X, y, train):
    ds = TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32))
    return DataLoader(ds, batch_size=CFG.bs, shuffle=train, drop_last=train)


def train_fn(model, dl, opt, crit):
    model.train()
    losses = []
    for xb, yb in dl:
        opt.zero_grad()
        loss = crit(model(xb), yb)
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return np.mean(losses)


def predict_fn(model, X):
    model.eval()
    with torch.no_grad():
        return torch.sigmoid(model(torch.tensor(X, dtype=torch.float32))).numpy()


# %%
X, y = upsample(X, y)
scores, test_pred = [], np.zeros(len(X_test))
skf = StratifiedKFold(CFG.n_folds, shuffle=True, random_state=CFG.seed)
for fold, (tr, va) in enumerate(skf.split(X, y)):
    X_tr, y_tr, X_va, y_va = X[tr], y[tr], X[va], y[va]

    scaler = StandardScaler().fit(X_tr)
    X_tr, X_va, X_te = scaler.transform(X_tr), scaler.transform(X_va), scaler.transform(X_test)

    model = TabNN(X.shape[1])
    opt = torch.optim.AdamW(model.parameters(), lr=CFG.lr, weight_decay=CFG.wd)
    crit = nn.BCEWithLogitsLoss()
    train_dl = make_dl(X_tr, y_tr, train=True)
    for epoch in range(CFG.epochs):
        loss = train_fn(model, train_dl, opt, crit)
        auc = roc_auc_score(y_va, predict_fn(model, X_va))
        print(f'fold {fold} epoch {epoch:2d} loss {loss:.4f} val auc {auc:.4f}')
    scores.append(auc)
    test_pred += predict_fn(model, X_te) / CFG.n_folds
    del model, opt
    gc.collect()

# %%
print('CV  AUC: %.4f +- %.4f' % (np.mean(scores), np.std(scores)))
print('LB  AUC: %.4f (private)' % roc_auc_score(y_test, test_pred))
