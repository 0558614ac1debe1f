import sys
import numpy as np
import torch
import torch.nn as nn
from torch.autograd import Variable
from sklearn.datasets import make_friedman1
from sklearn.preprocessing import StandardScaler

SEED = int(sys.argv[sys.argv.index('--seed') + 1]) if '--seed' in sys.argv else 0
torch.set_num_threads(1)
np.random.seed(SEED)
torch.manual_seed(SEED)

# my data has 10 features and 1 value to predict
data, values = make_friedman1(n_samples=2000, n_features=10, noise=0.5, random_state=SEED)
trainX, testX = data[:1600], data[1600:]
trainY, testY = values[:1600], values[1600:]

sc = StandardScaler().fit(trainX)
trainX = sc.transform(trainX)
testX = sc.transform(testX)
m, s = trainY.mean(), trainY.std()
trainY = (trainY - m) / s
testY = (testY - m) / s

trainX = torch.Tensor(trainX)
trainY = torch.Tensor(trainY)
testX = torch.Tensor(testX)
testY = torch.Tensor(testY)

print(trainX.shape, testX.shape)

net = nn.Sequential(
    nn.Linear(10, 32),
    nn.ReLU(),
    nn.Linear(32, 32),
    nn.ReLU(),
    nn.Linear(32, 1),
)
optimizer = torch.optim.Adam(net.parameters(), lr=0.005)
BATCH = 100
losses = []

for epoch in range(20):
    order = np.random.permutation(len(trainX))
    for b in range(0, len(trainX), BATCH):
        xb = Variable(trainX[order[b:b + BATCH]])
        yb = Variable(trainY[order[b:b + BATCH]])
        out = net(xb)
        loss = ((out - yb) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if epoch % 4 == 3:
        print('epoch', epoch, 'loss', np.mean(losses[-16:]))

with torch.no_grad():
    p = net(testX)
    print('test mse', ((p - testY) ** 2).mean().item())
    print('predictions', p[:5].flatten().numpy() * s + m)
    print('real values', testY[:5].flatten().numpy() * s + m)
