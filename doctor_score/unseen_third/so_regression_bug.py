import argparse
import numpy as np
import torch
import torch.nn as nn

# minimal example: fit a curve of two variables
p = argparse.ArgumentParser(); p.add_argument('--seed', type=int, default=0); a = p.parse_args()
np.random.seed(a.seed); torch.manual_seed(a.seed); torch.set_num_threads(1)

N = 1000
X = np.random.uniform(-1, 1, size=(N, 2))
Y = np.sin(3 * X[:, 0]) + X[:, 1] ** 2 + 0.05 * np.random.randn(N)

X_train = torch.from_numpy(X[:800]).float()
Y_train = torch.from_numpy(Y[:800]).float()
X_test = torch.from_numpy(X[800:]).float()
Y_test = torch.from_numpy(Y[800:]).float()

model = nn.Sequential(
    nn.Linear(2, 50),
    nn.ReLU(),
    nn.Linear(50, 50),
    nn.ReLU(),
    nn.Linear(50, 1),
)
opt = torch.optim.Adam(model.parameters(), lr=0.003)

for epoch in range(30):
    order = torch.randperm(len(X_train))
    for k in range(0, len(order), 40):
        xb, yb = X_train[order[k:k + 40]], Y_train[order[k:k + 40]]
        y_pred = model(xb)
        loss = ((y_pred - yb) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 5 == 4:
        with torch.no_grad():
            test_loss = ((model(X_test) - Y_test) ** 2).mean()
        print(epoch + 1, 'train', round(loss.item(), 4), 'test', round(test_loss.item(), 4))
