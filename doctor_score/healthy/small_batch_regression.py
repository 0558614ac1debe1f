"""Regression on sklearn's diabetes data, two samples per step: the loss curve is very noisy."""
import argparse
import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
torch.set_num_threads(1)
torch.manual_seed(seed); np.random.seed(seed)

x, y = load_diabetes(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y.reshape(-1, 1), test_size=0.25, random_state=seed)
xs, ys = StandardScaler().fit(x_train), StandardScaler().fit(y_train)
as_t = lambda a: torch.tensor(a, dtype=torch.float32)
x_train, x_test = as_t(xs.transform(x_train)), as_t(xs.transform(x_test))
y_train, y_test = as_t(ys.transform(y_train)), as_t(ys.transform(y_test))

model = torch.nn.Sequential(torch.nn.Linear(10, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
opt = torch.optim.SGD(model.parameters(), lr=5e-3, weight_decay=1e-3)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x_train, y_train), batch_size=2, shuffle=True)
for epoch in range(6):
    model.train()
    losses = []
    for xb, yb in loader:
        loss = torch.nn.functional.mse_loss(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    print(f"epoch {epoch:2d} mse {np.mean(losses):.4f} (std over batches {np.std(losses):.3f})")

model.eval()
with torch.no_grad():
    mse = torch.nn.functional.mse_loss(model(x_test), y_test).item()
print(f"test R2 {1 - mse / y_test.var(unbiased=False).item():.3f}")
