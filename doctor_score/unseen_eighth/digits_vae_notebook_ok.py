#!/usr/bin/env python
# coding: utf-8

# # Variational autoencoder on the 8x8 digits
# exported from vae.ipynb

# In[1]:


import argparse

import torch
import torch.utils.data
from torch import nn, optim
from torch.nn import functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser(description='VAE digits')
parser.add_argument('--batch-size', type=int, default=32, metavar='N')
parser.add_argument('--test-batch-size', type=int, default=128, metavar='N')
parser.add_argument('--epochs', type=int, default=50, metavar='N')
parser.add_argument('--seed', type=int, default=0, metavar='S')
args, _ = parser.parse_known_args()
torch.manual_seed(args.seed)


# In[2]:


digits = load_digits()
images = torch.tensor(digits.data / 16.0, dtype=torch.float32)
train_x, test_x = train_test_split(images, test_size=0.2, random_state=args.seed, stratify=digits.target)
print(train_x.shape, test_x.shape)

train_loader = torch.utils.data.DataLoader(train_x, batch_size=args.batch_size, shuffle=True)
test_loader = torch.utils.data.DataLoader(test_x, batch_size=args.test_batch_size, shuffle=False)


# In[3]:


class VAE(nn.Module):
    def __init__(self):
        super(VAE, self).__init__()

        self.fc1 = nn.Linear(64, 128)
        self.fc21 = nn.Linear(128, 10)
        self.fc22 = nn.Linear(128, 10)
        self.fc3 = nn.Linear(10, 128)
        self.fc4 = nn.Linear(128, 64)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        if not self.training:
            return mu
        std = torch.exp(0.5 * logvar)
        return mu + torch.randn_like(std) * std

    def decode(self, z):
        h3 = F.relu(self.fc3(z))
        return torch.sigmoid(self.fc4(h3))

    def forward(self, x):
        mu, logvar = self.encode(x)
        z = self.reparameterize(mu, logvar)
        return self.decode(z), mu, logvar


# In[4]:


def loss_function(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x, reduction='sum')
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE + KLD


def train(epoch):
    model.train()
    train_loss = 0
    for data in train_loader:
        optimizer.zero_grad()
        recon_batch, mu, logvar = model(data)
        loss = loss_function(recon_batch, data, mu, logvar)
        (loss / len(data)).backward()
        train_loss += loss.item()
        optimizer.step()
    return train_loss / len(train_loader.dataset)


def test(epoch):
    model.eval()
    test_loss = 0
    with torch.no_grad():
        for data in test_loader:
            recon_batch, mu, logvar = model(data)
            test_loss += loss_function(recon_batch, data, mu, logvar).item()
    return test_loss / len(test_loader.dataset)


# In[5]:


model = VAE()
optimizer = optim.Adam(model.parameters(), lr=1e-3)

for epoch in range(1, args.epochs + 1):
    train_loss = train(epoch)
    test_loss = test(epoch)
    if epoch % 5 == 0 or epoch == 1:
        print('====> Epoch: {:3d}  train loss: {:10.4f}  test loss: {:10.4f}'.format(epoch, train_loss, test_loss))


# In[6]:


# compare some reconstructions with the originals
model.eval()
with torch.no_grad():
    recon = model(test_x[:100])[0]
print('mean absolute error of 100 reconstructions: {:.4f}'.format((recon - test_x[:100]).abs().mean().item()))
print('   ... of the mean image:                   {:.4f}'.format((train_x.mean(0) - test_x[:100]).abs().mean().item()))
