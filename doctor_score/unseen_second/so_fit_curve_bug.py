# minimal example, you can copy paste it. I try to fit a curve, loss is printed below
import sys
import torch
import torch.nn as nn
import torch.nn.functional as F

seed = int(sys.argv[sys.argv.index('--seed') + 1]) if '--seed' in sys.argv else 0
torch.manual_seed(seed)
torch.set_num_threads(1)

x = torch.rand(1200, 1) * 4 - 2
y = torch.sin(2 * x) + 0.3 * x ** 2 + 0.05 * torch.randn_like(x)
x_train, y_train = x[:1000], y[:1000]
x_val, y_val = x[1000:], y[1000:]

class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.fc1 = nn.Linear(1, 32)
        self.fc2 = nn.Linear(32, 32)
        self.fc3 = nn.Linear(32, 1)

    def forward(self, x):
        x = torch.tanh(self.fc1(x))
        x = torch.tanh(self.fc2(x))
        return self.fc3(x)

net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.005)
loss_func = nn.MSELoss()

for epoch in range(60):
    perm = torch.randperm(1000)
    running = 0.0
    for i in range(0, 1000, 50):
        idx = perm[i:i+50]
        out = net(x_train[idx])
        loss = loss_func(out, y_train[idx])
        loss.backward()
        optimizer.step()
        running += loss.item()
    if epoch % 5 == 0 or epoch == 59:
        with torch.no_grad():
            val = loss_func(net(x_val), y_val).item()
        print('epoch', epoch, 'train loss', running / 20, 'val loss', val)
