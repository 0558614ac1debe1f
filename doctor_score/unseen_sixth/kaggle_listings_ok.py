# %% [markdown]
# # Flat rents: embeddings + MLP baseline (v4)
# categorical columns -> embeddings, numeric columns -> standardised, target -> log1p

# %%
import argparse
import random

import numpy as np
import torch
import torch.nn as nn

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
SEED = ap.parse_args().seed


def seed_everything(s):
    random.seed(s)
    np.random.seed(s)
    torch.manual_seed(s)


seed_everything(SEED)

CATS = ["district", "heating", "kind"]
NUMS = ["area", "rooms", "floor", "age", "dist_center"]
VALUES = {
    "district": [f"D{i:02d}" for i in range(24)],
    "heating": ["gas", "oil", "district", "electric", "none"],
    "kind": ["flat", "loft", "studio", "maisonette", "penthouse", "basement"],
}


# %% -- "read_csv"
def load(n):
    rng = np.random.default_rng(SEED)
    df = {c: rng.choice(VALUES[c], n) for c in CATS}
    df["area"] = rng.gamma(6, 11, n) + 15
    df["rooms"] = np.clip(np.round(df["area"] / 26 + rng.normal(0, 0.5, n)), 1, None)
    df["floor"] = rng.integers(0, 9, n).astype(float)
    df["age"] = rng.gamma(2, 20, n)
    df["dist_center"] = rng.gamma(2, 2.5, n)
    effect = {c: dict(zip(VALUES[c], rng.normal(0, s, len(VALUES[c]))))
              for c, s in zip(CATS, [0.35, 0.08, 0.2])}
    log_rent = 4.0 + 0.75 * np.log(df["area"]) - 0.04 * df["dist_center"] + 0.01 * df["floor"] - 0.002 * df["age"]
    for c in CATS:
        log_rent += np.array([effect[c][v] for v in df[c]])
    df["rent"] = np.exp(log_rent + rng.normal(0, 0.1, n))
    return df


df = load(15000)
order = np.random.permutation(15000)
trn_idx, val_idx = order[:12000], order[12000:]
trn = {c: v[trn_idx] for c, v in df.items()}
val = {c: v[val_idx] for c, v in df.items()}


# %% -- encoding
def fit_codes(col):
    """category -> integer in order of appearance, 0 is kept for unknown"""
    return {v: i + 1 for i, v in enumerate(dict.fromkeys(col.tolist()))}


def encode(col, codes):
    return np.array([codes.get(v, 0) for v in col.tolist()])


trn_cat, val_cat, sizes = [], [], []
for c in CATS:
    codes = fit_codes(trn[c])
    trn_cat.append(encode(trn[c], codes))
    val_cat.append(encode(val[c], codes))
    sizes.append(len(VALUES[c]) + 1)
trn_cat = torch.tensor(np.stack(trn_cat, 1))
val_cat = torch.tensor(np.stack(val_cat, 1))

trn_num = np.stack([trn[c] for c in NUMS], 1)
val_num = np.stack([val[c] for c in NUMS], 1)
mu, sd = trn_num.mean(0), trn_num.std(0)
trn_num = torch.tensor((trn_num - mu) / sd, dtype=torch.float32)
val_num = torch.tensor((val_num - mu) / sd, dtype=torch.float32)

y_trn = np.log1p(trn["rent"])
y_val = np.log1p(val["rent"])
y_mu, y_sd = y_trn.mean(), y_trn.std()
y_trn = torch.tensor((y_trn - y_mu) / y_sd, dtype=torch.float32)
y_val = torch.tensor((y_val - y_mu) / y_sd, dtype=torch.float32)


# %% -- model
class TabNN(nn.Module):
    def __init__(self, sizes, n_num):
        super().__init__()
        self.embs = nn.ModuleList([nn.Embedding(s, min(8, (s + 1) // 2)) for s in sizes])
        n_in = sum(e.embedding_dim for e in self.embs) + n_num
        self.mlp = nn.Sequential(nn.Linear(n_in, 96), nn.ReLU(), nn.Dropout(0.1),
                                 nn.Linear(96, 48), nn.ReLU(), nn.Linear(48, 1))

    def forward(self, cat, num):
        x = torch.cat([e(cat[:, i]) for i, e in enumerate(self.embs)] + [num], dim=1)
        return self.mlp(x).squeeze(1)


model = TabNN(sizes, len(NUMS))
opt = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
trn_dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(trn_cat, trn_num, y_trn),
                                     batch_size=64, shuffle=True)
val_dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(val_cat, val_num, y_val),
                                     batch_size=256)
loss_fn = nn.MSELoss()

# %% -- train
best = 1e9
for ep in range(22):
    model.train()
    trn_loss = 0
    for cat, num, y in trn_dl:
        loss = loss_fn(model(cat, num), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        trn_loss += loss.item() * len(y) / len(y_trn)
    model.eval()
    val_loss = 0
    with torch.no_grad():
        for cat, num, y in val_dl:
            val_loss += loss_fn(model(cat, num), y).item() * len(y) / len(y_val)
    rmsle = val_loss ** 0.5 * y_sd
    best = min(best, rmsle)
    print(f"ep {ep:02d} | trn rmsle {trn_loss ** 0.5 * y_sd:.4f} | val rmsle {rmsle:.4f}")
print(f"CV: {best:.5f}")
