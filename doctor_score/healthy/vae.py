import argparse

import torch
import torch.utils.data
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.nn import functional as F

parser = argparse.ArgumentParser(description="VAE digits example")
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--epochs", type=int, default=15)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--log-interval", type=int, default=3)
args = parser.parse_args()
torch.manual_seed(args.seed)
torch.set_num_threads(1)

images = torch.tensor(load_digits().data, dtype=torch.float32) / 16.0
train_set, test_set = torch.utils.data.random_split(torch.utils.data.TensorDataset(images), [1500, len(images) - 1500])
train_loader = torch.utils.data.DataLoader(train_set, batch_size=args.batch_size, shuffle=True)
test_loader = torch.utils.data.DataLoader(test_set, batch_size=args.batch_size, shuffle=False)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 96)
        self.fc21 = nn.Linear(96, 8)
        self.fc22 = nn.Linear(96, 8)
        self.fc3 = nn.Linear(8, 96)
        self.fc4 = nn.Linear(96, 64)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        return mu + torch.randn_like(std) * std

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x):
        mu, logvar = self.encode(x)
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    bce = F.binary_cross_entropy(recon_x, x, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return (bce + kld) / x.size(0)


model = VAE()
optimizer = optim.Adam(model.parameters(), lr=2e-3)


def train(epoch):
    model.train()
    train_loss = 0
    for (x,) in train_loader:
        optimizer.zero_grad()
        recon, mu, logvar = model(x)
        loss = loss_function(recon, x, mu, logvar)
        loss.backward()
        train_loss += loss.item() * len(x)
        optimizer.step()
    if epoch % args.log_interval == 0:
        print(f"====> Epoch: {epoch} Average loss: {train_loss / len(train_set):.4f}")


def test():
    model.eval()
    total = 0
    with torch.no_grad():
        for (x,) in test_loader:
            recon, mu, logvar = model(x)
            total += loss_function(recon, x, mu, logvar).item() * len(x)
    return total / len(test_set)


if __name__ == "__main__":
    print(f"before training: {test():.4f}")
    for epoch in range(1, args.epochs + 1):
        train(epoch)
    print(f"====> Test set loss: {test():.4f}")
