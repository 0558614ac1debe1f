"""Churn prediction: a small binary classifier on tabular data with a rare positive class."""
import argparse

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_classification
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils import resample

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

torch.set_num_threads(1)
np.random.seed(args.seed)
torch.manual_seed(args.seed)


def oversample(X, y):
    """Repeat customers who left until both classes are equally frequent."""
    pos, neg = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    extra = resample(pos, n_samples=len(neg) - len(pos), random_state=args.seed)
    idx = np.concatenate([pos, neg, extra])
    return X[idx], y[idx]


# 1. Load
X, y = make_classification(n_samples=3000, n_features=20, n_informative=8, n_redundant=4, weights=[0.82],
                           class_sep=1.0, flip_y=0.02, random_state=args.seed)
print("customers:", len(y), "churned:", int(y.sum()))

# 2. Prepare
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.25, stratify=y, random_state=args.seed)
X_train, y_train = oversample(X_train, y_train)
scaler = StandardScaler()
X_train = torch.tensor(scaler.fit_transform(X_train), dtype=torch.float32)
X_val = torch.tensor(scaler.transform(X_val), dtype=torch.float32)
y_train = torch.tensor(y_train, dtype=torch.float32)
y_val = torch.tensor(y_val, dtype=torch.float32)


# 3. Model
class ChurnModel(nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.fc1 = nn.Linear(n_features, 32)
        self.fc2 = nn.Linear(32, 16)
        self.out = nn.Linear(16, 1)
        self.drop = nn.Dropout(0.2)

    def forward(self, x):
        x = self.drop(torch.relu(self.fc1(x)))
        x = torch.relu(self.fc2(x))
        return torch.sigmoid(self.out(x)).squeeze(1)


model = ChurnModel(X_train.shape[1])
criterion = nn.BCELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, weight_decay=1e-4)

# 4. Train
for epoch in range(1, 11):
    model.train()
    train_loss = 0.0
    for batch in torch.randperm(len(X_train)).split(64):
        optimizer.zero_grad()
        loss = criterion(model(X_train[batch]), y_train[batch])
        loss.backward()
        optimizer.step()
        train_loss += loss.item() * len(batch)

    model.eval()
    with torch.no_grad():
        prob = model(X_val)
        val_loss = criterion(prob, y_val).item()
    f1 = f1_score(y_val.numpy(), (prob > 0.5).numpy())
    auc = roc_auc_score(y_val.numpy(), prob.numpy())
    print(f"Epoch {epoch:2d}/10  train {train_loss / len(X_train):.4f}  val {val_loss:.4f}  F1 {f1:.3f}  AUC {auc:.3f}")
