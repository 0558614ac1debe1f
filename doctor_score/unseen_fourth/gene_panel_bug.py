# Tumor / normal from expression levels. Few patients, many genes -> choose the best genes, then a small net.
import argparse
import random

import numpy as np
import torch
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class CFG:
    n_patients = 300
    n_genes = 4000
    n_select = 40
    epochs = 15
    lr = 1e-3
    bs = 16


def load_expression():
    y = np.random.randint(0, 2, CFG.n_patients)
    X = np.random.normal(6.0, 1.5, (CFG.n_patients, CFG.n_genes))
    markers = np.random.choice(CFG.n_genes, 12, replace=False)
    X[:, markers] += 0.95 * y[:, None]
    return X, y


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)
torch.set_num_threads(1)

X, y = load_expression()
print("table:", X.shape, "tumors:", y.sum())

X = make_pipeline(StandardScaler(), SelectKBest(f_classif, k=CFG.n_select)).fit_transform(X, y)
X_train, X_valid, y_train, y_valid = train_test_split(X, y, test_size=0.3, stratify=y, random_state=seed)

train_ds = TensorDataset(torch.tensor(X_train).float(), torch.tensor(y_train).float())
valid_ds = TensorDataset(torch.tensor(X_valid).float(), torch.tensor(y_valid).float())
train_dl = DataLoader(train_ds, batch_size=CFG.bs, shuffle=True)
valid_dl = DataLoader(valid_ds, batch_size=64)

model = nn.Sequential(nn.Linear(CFG.n_select, 16), nn.ReLU(), nn.Dropout(0.4), nn.Linear(16, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=CFG.lr, weight_decay=1e-2)

for epoch in range(CFG.epochs):
    model.train()
    train_loss = 0.0
    for xb, yb in train_dl:
        optimizer.zero_grad()
        loss = criterion(model(xb).squeeze(-1), yb)
        loss.backward()
        optimizer.step()
        train_loss += loss.item() * len(xb) / len(train_ds)

    model.eval()
    logits = []
    with torch.no_grad():
        for xb, _ in valid_dl:
            logits.append(model(xb).squeeze(-1))
    logits = torch.cat(logits)
    valid_loss = criterion(logits, torch.tensor(y_valid).float()).item()
    acc = accuracy_score(y_valid, logits.numpy() > 0)
    auc = roc_auc_score(y_valid, logits.numpy())
    print(f"epoch {epoch + 1:2d} train {train_loss:.4f} valid {valid_loss:.4f} acc {acc:.3f} auc {auc:.3f}")
