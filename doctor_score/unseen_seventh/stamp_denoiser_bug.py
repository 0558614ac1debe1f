# Denoising autoencoder for scanned stamps
import argparse
import random
import numpy as np
import torch
from torch import nn
from torch.utils.data import TensorDataset, DataLoader

parser = argparse.ArgumentParser(description='denoising autoencoder')
parser.add_argument('--seed', type=int, default=0)
parser.add_argument('--epochs', type=int, default=20)
parser.add_argument('--noise', type=float, default=0.35, help='share of the full range')
args = parser.parse_args()

np.random.seed(args.seed)
random.seed(args.seed)
torch.manual_seed(args.seed)

SIZE = 16


def render_stamp():
    """ grey 8-bit scan: frame + a few bars """
    img = np.full((SIZE, SIZE), 30, dtype=np.uint8)
    ink = random.randint(150, 250)
    top, left = random.randint(1, 4), random.randint(1, 4)
    bottom, right = random.randint(11, 14), random.randint(11, 14)
    img[top, left:right + 1] = ink
    img[bottom, left:right + 1] = ink
    img[top:bottom + 1, left] = ink
    img[top:bottom + 1, right] = ink
    for _ in range(random.randint(1, 3)):
        if random.random() < 0.5:
            r = random.randint(top + 2, bottom - 2)
            img[r, left + 2:right - 1] = ink
        else:
            c = random.randint(left + 2, right - 2)
            img[top + 2:bottom - 1, c] = ink
    return img


def add_noise(x, generator=None):
    full = x.max() - x.min()
    return x + args.noise * full * torch.randn(x.shape, generator=generator)


scans = np.stack([render_stamp() for _ in range(3000)])
scans = scans.astype(np.float32)
clean = torch.from_numpy(scans).unsqueeze(1)
print('scans', tuple(clean.shape), clean.dtype)

clean_train, clean_val = clean[:2500], clean[2500:]
# fixed noise for validation
noisy_val = add_noise(clean_val, torch.Generator().manual_seed(args.seed))
loader_train = DataLoader(TensorDataset(clean_train), batch_size=50, shuffle=True)
loader_val = DataLoader(TensorDataset(noisy_val, clean_val), batch_size=100)


class DenoisingAE(nn.Module):
    def __init__(self):
        super(DenoisingAE, self).__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 12, 3, stride=2, padding=1),   # 16 -> 8
            nn.ReLU(True),
            nn.Conv2d(12, 24, 3, stride=2, padding=1),  # 8 -> 4
            nn.ReLU(True),
            nn.Flatten(),
            nn.Linear(24 * 4 * 4, 48),
            nn.ReLU(True),
        )
        self.decoder = nn.Sequential(
            nn.Linear(48, 24 * 4 * 4),
            nn.ReLU(True),
            nn.Unflatten(1, (24, 4, 4)),
            nn.ConvTranspose2d(24, 12, 4, stride=2, padding=1),
            nn.ReLU(True),
            nn.ConvTranspose2d(12, 1, 4, stride=2, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


model = DenoisingAE()
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)


def psnr(mse, full_range):
    return 10 * np.log10(full_range ** 2 / mse)


full_range = (clean_val.max() - clean_val.min()).item()
mse_noisy = ((noisy_val - clean_val) ** 2).mean().item()
print('PSNR of the noisy scans: {:.2f} dB'.format(psnr(mse_noisy, full_range)))

for epoch in range(args.epochs):
    model.train()
    train_loss = 0
    for (img,) in loader_train:
        # ===================forward=====================
        output = model(add_noise(img))
        loss = criterion(output, img)
        # ===================backward====================
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        train_loss += loss.item() * len(img)

    model.eval()
    val_loss = 0
    with torch.no_grad():
        for noisy, img in loader_val:
            val_loss += criterion(model(noisy), img).item() * len(img)
    train_loss /= len(clean_train)
    val_loss /= len(clean_val)
    # ===================log========================
    print('epoch [{}/{}], loss:{:.5f}, val_loss:{:.5f}, PSNR:{:.2f} dB'.format(
        epoch + 1, args.epochs, train_loss, val_loss, psnr(val_loss, full_range)))
