from __future__ import print_function
import torch
import torch.utils.data
from torch import nn, optim
from torch.nn import functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(1)
EPOCHS = 40
LOG_INTERVAL = 5

data = torch.tensor(load_digits().data, dtype=torch.float32) / 16.0
train_x, test_x = train_test_split(data, test_size=0.2, random_state=0)
train_loader = torch.utils.data.DataLoader(train_x, batch_size=64, shuffle=True)
test_loader = torch.utils.data.DataLoader(test_x, batch_size=128, shuffle=False)


class VAE(nn.Module):
    def __init__(self, latent=12):
        super(VAE, self).__init__()
        self.fc1 = nn.Linear(64, 128)
        self.fc21 = nn.Linear(128, latent)
        self.fc22 = nn.Linear(128, latent)
        self.fc3 = nn.Linear(latent, 128)
        self.fc4 = nn.Linear(128, 64)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def decode(self, z):
        h3 = F.relu(self.fc3(z))
        return torch.sigmoid(self.fc4(h3))

    def forward(self, x):
        mu, logvar = self.encode(x)
        z = self.reparameterize(mu, logvar) if self.training else mu
        return self.decode(z), mu, logvar


model = VAE()
optimizer = optim.Adam(model.parameters(), lr=2e-3)


# Reconstruction + KL divergence summed over all elements
def loss_function(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x, reduction='sum')
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return (BCE + 0.3 * KLD) / len(x)


def train(epoch):
    model.train()
    train_loss = 0
    for batch in train_loader:
        optimizer.zero_grad()
        recon_batch, mu, logvar = model(batch)
        loss = loss_function(recon_batch, batch, mu, logvar)
        loss.backward()
        train_loss += loss.item() * len(batch)
        optimizer.step()
    if epoch % LOG_INTERVAL == 0:
        print('====> Epoch: {} Average loss: {:.4f}'.format(epoch, train_loss / len(train_loader.dataset)))


def test(epoch):
    model.eval()
    test_loss, squared = 0, 0
    with torch.no_grad():
        for batch in test_loader:
            recon_batch, mu, logvar = model(batch)
            test_loss += loss_function(recon_batch, batch, mu, logvar).item() * len(batch)
            squared += F.mse_loss(recon_batch, batch, reduction='sum').item()
    if epoch % LOG_INTERVAL == 0:
        print('====> Test set loss: {:.4f}, pixel mse: {:.4f}'.format(test_loss / len(test_x), squared / test_x.numel()))


for epoch in range(1, EPOCHS + 1):
    train(epoch)
    test(epoch)
