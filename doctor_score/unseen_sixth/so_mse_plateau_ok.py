# MCVE for my question: simple regression net, fuel use of a truck from a few signals
import torch, random, argparse
import numpy as np
import torch.nn as nn
from torch.utils.data import TensorDataset, DataLoader

p = argparse.ArgumentParser()
p.add_argument('--seed', type=int, default=0)
seed = p.parse_args().seed
torch.manual_seed(seed); np.random.seed(seed); random.seed(seed)

# fake data that looks like mine
N = 7500
speed = np.random.uniform(20, 90, N)
load = np.random.uniform(0, 18, N)
slope = np.random.normal(0, 2, N)
temp = np.random.normal(12, 8, N)
fuel = 8 + 0.002*(speed-55)**2 + 0.9*load + 1.5*np.maximum(slope, -1)*(1+load/10) - 0.03*temp + np.random.normal(0, .7, N)

X = np.stack([speed, load, slope, temp], 1).astype('float32')
y = fuel.astype('float32')

Xtr, Xte = X[:6000], X[6000:]
ytr, yte = y[:6000], y[6000:]
m, s = Xtr.mean(0), Xtr.std(0)
Xtr = (Xtr-m)/s
Xte = (Xte-m)/s
ym, ys = ytr.mean(), ytr.std()
ytr = (ytr-ym)/ys
yte = (yte-ym)/ys

train_ds = TensorDataset(torch.tensor(Xtr), torch.tensor(ytr))
test_ds = TensorDataset(torch.tensor(Xte), torch.tensor(yte))
train_dl = DataLoader(train_ds, batch_size=40, shuffle=True)
test_dl = DataLoader(test_ds, batch_size=100)

model = nn.Sequential(
    nn.Linear(4, 64),
    nn.ReLU(),
    nn.Linear(64, 64),
    nn.ReLU(),
    nn.Linear(64, 1),
)
criterion = nn.MSELoss()
opt = torch.optim.Adam(model.parameters(), lr=0.002)

for epoch in range(45):
    model.train()
    tot = 0
    for xb, yb in train_dl:
        opt.zero_grad()
        out = model(xb)
        loss = criterion(out, yb.unsqueeze(1))
        loss.backward()
        opt.step()
        tot += loss.item()
    model.eval()
    with torch.no_grad():
        preds = torch.cat([model(xb).flatten() for xb, _ in test_dl])
        truth = torch.cat([yb for _, yb in test_dl])
        r2 = 1 - ((preds-truth)**2).sum() / ((truth-truth.mean())**2).sum()
    print('epoch', epoch, 'train loss', tot/len(train_dl), 'test R2', r2.item())

print('some predictions', preds[:6])
print('should be       ', truth[:6])
