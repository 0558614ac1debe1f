# %% [markdown]
# # Flat prices - simple PyTorch baseline (5 min read)
# If you like this kernel, please upvote :)

# %%
import argparse, random, math
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import TensorDataset, DataLoader

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
cfg = ap.parse_args()

def seed_everything(s):
    random.seed(s); np.random.seed(s); torch.manual_seed(s)

seed_everything(cfg.seed)

# %% [markdown]
# ## Load data
# Instead of the csv a generator with the same columns, so that the kernel runs everywhere.

# %%
COLUMNS = ["area", "plot", "dist_station", "dist_centre", "year", "rooms", "floor", "energy", "reviews", "noise"]

def read_table(n, n_city=24):
    city = np.random.randint(0, n_city, n)
    size = np.linspace(-1.6, 1.6, n_city)[city]       # from small to big
    old = np.random.normal(0, 1, n_city)[city]        # old or new city
    t = {}
    t["area"] = np.random.lognormal(4.3, 0.40, n) * np.exp(-0.15 * size)
    t["plot"] = np.random.lognormal(5.5, 0.8, n) * np.exp(-0.4 * size)
    t["dist_station"] = np.random.lognormal(6.2, 0.8, n) * np.exp(-0.3 * size)
    t["dist_centre"] = np.random.lognormal(8.0, 0.5, n) * np.exp(0.5 * size)
    t["year"] = 1965 - 12 * old + np.random.normal(0, 15, n)
    t["rooms"] = np.clip(np.round(t["area"] / 24 + np.random.normal(0, .7, n)), 1, 9)
    t["floor"] = np.random.poisson(3 * np.exp(0.3 * size), n).astype(float)
    t["energy"] = np.random.normal(110, 30, n) - 0.4 * (t["year"] - 1960)
    t["reviews"] = np.random.normal(3.7, .6, n)
    t["noise"] = np.random.normal(55, 6, n) + 3 * size
    log_price = (0.85 * np.log(t["area"]) + 0.08 * np.log(t["plot"]) - 0.11 * np.log1p(t["dist_station"])
                 - 0.25 * np.log(t["dist_centre"]) + 0.007 * (t["year"] - 1960)
                 + 0.02 * t["floor"] - 0.0008 * t["energy"] + 0.06 * t["reviews"]
                 - 0.004 * np.maximum(t["noise"] - 55, 0) + np.random.normal(0, .06, n))
    table = np.stack([t[c] for c in COLUMNS], axis=1)
    return table, log_price + 10.0, city

table, target, city = read_table(8000)
# new cities will come, so validate on cities that the model has not seen
held_out = np.isin(city, [16, 17, 19, 20])
tr, va = np.where(~held_out)[0], np.where(held_out)[0]
X_tr, X_va = table[tr].copy(), table[va].copy()
y_tr, y_va = target[tr], target[va]

# %% [markdown]
# ## Preprocessing
# Some columns are heavily skewed: take the log. Then standardise.

# %%
def skewness(v):
    return float((((v - v.mean()) / v.std()) ** 3).mean())

skewed = [j for j in range(len(COLUMNS)) if skewness(X_tr[:, j]) > 0.9]
print("skewed:", [COLUMNS[j] for j in skewed])
X_tr[:, skewed] = np.log1p(X_tr[:, skewed])
X_va[:, skewed] = np.log1p(X_va[:, skewed])

mean, std = X_tr.mean(axis=0), X_tr.std(axis=0)
X_tr = (X_tr - mean) / std
X_va = (X_va - mean) / std

y_mean, y_std = y_tr.mean(), y_tr.std()
to_t = lambda a: torch.tensor(a, dtype=torch.float32)
trn_dl = DataLoader(TensorDataset(to_t(X_tr), to_t((y_tr - y_mean) / y_std)), batch_size=128, shuffle=True)
val_dl = DataLoader(TensorDataset(to_t(X_va), to_t((y_va - y_mean) / y_std)), batch_size=700)

# %% [markdown]
# ## Model & training

# %%
class PriceNet(nn.Module):
    def __init__(self, n_in, h=96):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_in, h), nn.SiLU(), nn.Linear(h, h), nn.SiLU())
        self.out = nn.Linear(h, 1)
    def forward(self, x):
        return self.out(self.body(x)).squeeze(-1)

net = PriceNet(len(COLUMNS))
opt = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-2)
N_EPOCHS = 30
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=N_EPOCHS)
crit = nn.MSELoss()

# %%
for ep in range(N_EPOCHS):
    net.train()
    s = n = 0
    for xb, yb in trn_dl:
        opt.zero_grad()
        l = crit(net(xb), yb)
        l.backward()
        opt.step()
        s += l.item() * len(xb); n += len(xb)
    sched.step()

    net.eval()
    vs = vn = 0
    with torch.no_grad():
        for xb, yb in val_dl:
            vs += crit(net(xb), yb).item() * len(xb); vn += len(xb)
    if ep % 3 == 0 or ep == N_EPOCHS - 1:
        print(f"ep {ep:02d}  train RMSLE {math.sqrt(s/n)*y_std:.4f}  valid RMSLE {math.sqrt(vs/vn)*y_std:.4f}")
