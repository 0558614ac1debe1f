# Full-batch gradient descent; train/val numbers after every single update.
import argparse
import torch
import torch.nn as nn
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

torch.set_num_threads(1)
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
np.random.seed(seed)
torch.manual_seed(seed)

x, y = load_breast_cancer(return_X_y=True)
x_tr, x_va, y_tr, y_va = train_test_split(x, y, test_size=0.3, random_state=seed, stratify=y)
sc = StandardScaler().fit(x_tr)
x_tr, x_va = [torch.tensor(sc.transform(v), dtype=torch.float32) for v in (x_tr, x_va)]
y_tr, y_va = [torch.tensor(v, dtype=torch.float32).unsqueeze(1) for v in (y_tr, y_va)]

model = nn.Sequential(nn.Linear(30, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
criterion = nn.BCEWithLogitsLoss()
curve = []
for step in range(150):
    model.train()
    opt.zero_grad()
    loss = criterion(model(x_tr), y_tr)
    loss.backward()
    opt.step()

    model.eval()
    with torch.no_grad():
        tr = criterion(model(x_tr), y_tr).item()
        out = model(x_va)
        va = criterion(out, y_va).item()
        acc = ((out > 0).float() == y_va).float().mean().item()
    curve.append((tr, va, acc))
    if step % 25 == 0:
        print(f"step {step:3d}  train {tr:.4f}  val {va:.4f}  acc {acc:.4f}")
print(f"final val accuracy {curve[-1][2]:.4f}, lowest val loss {min(c[1] for c in curve):.4f}")
