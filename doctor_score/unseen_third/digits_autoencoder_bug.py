# Autoencoder for 8x8 digits, 10 latent numbers
import argparse, random
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser()
parser.add_argument("--seed", default=0, type=int)
opt = parser.parse_args()
random.seed(opt.seed); np.random.seed(opt.seed); torch.manual_seed(opt.seed)
torch.set_num_threads(1)

EPOCHS, BATCH, LATENT = 25, 64, 10

pixels = load_digits().data.astype("float32") / 16.0
train_px, val_px = train_test_split(pixels, test_size=0.2, random_state=opt.seed)
train_px, val_px = torch.from_numpy(train_px), torch.from_numpy(val_px)

encoder = nn.Sequential(nn.Linear(64, 48), nn.ELU(), nn.Linear(48, 32), nn.ELU(), nn.Linear(32, LATENT))
decoder = nn.Sequential(nn.Linear(LATENT, 32), nn.ELU(), nn.Linear(32, 48), nn.ELU(), nn.Linear(48, 64), nn.Sigmoid())

optimizer = torch.optim.Adam(decoder.parameters(), lr=3e-3)
mse = nn.MSELoss()

for epoch in range(EPOCHS):
    encoder.train(); decoder.train()
    losses = []
    for rows in torch.randperm(len(train_px)).split(BATCH):
        batch = train_px[rows]
        recon = decoder(encoder(batch))
        loss = mse(recon, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    encoder.eval(); decoder.eval()
    with torch.no_grad():
        val = mse(decoder(encoder(val_px)), val_px).item()
    if (epoch + 1) % 5 == 0:
        print(f"{epoch + 1:3d}  train mse {np.mean(losses):.4f}  val mse {val:.4f}")
