# "PyTorch multiclass MLP accuracy" - minimal reproducible example
# My real data are accelerometer features, 8 activities, 24 features. I replaced
# them with random clusters so that you can run it.
import torch, random, argparse
import numpy as np
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import TensorDataset, DataLoader

p = argparse.ArgumentParser()
p.add_argument('--seed', type=int, default=0)
seed = p.parse_args().seed
torch.manual_seed(seed); np.random.seed(seed); random.seed(seed)

NUM_CLASSES = 8
NUM_FEAT = 24

# three clusters per activity
centers = np.random.randn(NUM_CLASSES * 3, NUM_FEAT) * 1.1
which = np.random.randint(0, NUM_CLASSES * 3, 6000)
X = centers[which] + np.random.randn(6000, NUM_FEAT)
y = which % NUM_CLASSES

X_train, y_train = X[:4800], y[:4800]
X_test, y_test = X[4800:], y[4800:]
mu, sd = X_train.mean(0), X_train.std(0)
X_train = (X_train - mu) / sd
X_test = (X_test - mu) / sd

train_ds = TensorDataset(torch.FloatTensor(X_train), torch.LongTensor(y_train))
test_ds = TensorDataset(torch.FloatTensor(X_test), torch.LongTensor(y_test))
train_dl = DataLoader(train_ds, batch_size=32, shuffle=True)
test_dl = DataLoader(test_ds, batch_size=200)


class Model(nn.Module):
    def __init__(self):
        super(Model, self).__init__()
        self.l1 = nn.Linear(NUM_FEAT, 64)
        self.l2 = nn.Linear(64, 32)
        self.l3 = nn.Linear(32, NUM_CLASSES)

    def forward(self, x):
        x = F.relu(self.l1(x))
        x = F.relu(self.l2(x))
        x = self.l3(x)
        return x


model = Model()
loss_fn = nn.CrossEntropyLoss()
opt = torch.optim.Adam(model.parameters(), lr=1e-3)

for epoch in range(15):
    model.train()
    tot = 0
    for xb, yb in train_dl:
        opt.zero_grad()
        out = model(xb)
        loss = loss_fn(out, yb)
        loss.backward()
        opt.step()
        tot += loss.item()

    model.eval()
    correct = 0
    with torch.no_grad():
        for xb, yb in test_dl:
            correct += (model(xb).argmax(dim=1) == yb).sum().item()
    print('Epoch', epoch, 'Loss', round(tot / len(train_dl), 4), 'Test acc', round(correct / len(test_ds), 4))

# how often is each class predicted?
with torch.no_grad():
    pred = model(torch.FloatTensor(X_test)).argmax(1).numpy()
print('predicted:', np.bincount(pred, minlength=NUM_CLASSES))
print('true:     ', np.bincount(y_test, minlength=NUM_CLASSES))
