import argparse
import logging
import warnings

import lightning.pytorch as pl
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, Subset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

SIZE = 18


class Augment:
    """Brightness, contrast, a shift, a black square (cutout)."""

    def __call__(self, img):
        img = img * (0.6 + 0.8 * torch.rand(1)) + 0.5 * torch.randn(1)
        dy, dx = torch.randint(-2, 3, (2,)).tolist()
        img = torch.roll(img, (dy, dx), dims=(1, 2))
        if torch.rand(1).item() < 0.7:
            r, c = torch.randint(0, SIZE - 7, (2,)).tolist()
            img = img.clone()
            img[:, r : r + 8, c : c + 8] = 0.0
        return img


class MushroomDataset(Dataset):
    def __init__(self, images, labels, transform=None):
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        img = self.images[i]
        if self.transform is not None:
            img = self.transform(img)
        return img, self.labels[i]


def photograph(n, gen, n_species=6):
    """Cap (an ellipse), stem and ring; the species differ in their proportions."""
    cap_w = torch.tensor([7.0, 5.0, 7.0, 4.0, 5.5, 4.0])
    cap_h = torch.tensor([2.5, 4.0, 4.0, 2.5, 2.5, 4.5])
    stem = torch.tensor([1.0, 1.0, 2.2, 2.2, 1.0, 2.2])
    ring = torch.tensor([0.0, 1.0, 0.0, 1.0, 1.0, 0.0])
    y = torch.randint(0, n_species, (n,), generator=gen)
    yy, xx = torch.meshgrid(torch.arange(SIZE).float(), torch.arange(SIZE).float(), indexing="ij")
    jit = lambda s: s * torch.randn(n, 1, 1, generator=gen)
    cx, cy = 8.5 + jit(0.6), 6.0 + jit(0.6)
    w, h = cap_w[y].view(-1, 1, 1) + jit(0.5), cap_h[y].view(-1, 1, 1) + jit(0.4)
    cap = ((((xx - cx) / w) ** 2 + ((yy - cy) / h) ** 2 < 1) & (yy < cy + 1)).float()
    st = ((xx - cx).abs() < stem[y].view(-1, 1, 1)) & (yy >= cy) & (yy < 16)
    rg = ((xx - cx).abs() < 3.2) & ((yy - cy - 5).abs() < 1) & (ring[y].view(-1, 1, 1) > 0)
    img = torch.maximum(cap, 0.6 * st.float())
    img = torch.maximum(img, 0.9 * rg.float())
    img = img + 0.30 * torch.randn(img.shape, generator=gen)
    return ((img - 0.27) / 0.5).unsqueeze(1), y


class MushroomData(pl.LightningDataModule):
    def __init__(self, seed, batch_size=50):
        super().__init__()
        self.seed, self.batch_size = seed, batch_size

    def setup(self, stage=None):
        gen = torch.Generator().manual_seed(self.seed)
        images, labels = photograph(2000, gen)
        order = torch.randperm(len(labels), generator=gen).tolist()
        augmented = MushroomDataset(images, labels, transform=Augment())
        plain = MushroomDataset(images, labels)
        self.train_set = Subset(augmented, order[:1500])
        self.val_set = Subset(plain, order[1500:])

    def train_dataloader(self):
        return DataLoader(self.train_set, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val_set, batch_size=100)


class LitMushroom(pl.LightningModule):
    def __init__(self, lr=2e-3):
        super().__init__()
        self.lr = lr
        self.model = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(3),
            nn.Flatten(), nn.Linear(32 * 9, 6),
        )
        self.curve = []

    def forward(self, x):
        return self.model(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        logits = self(x)
        self.log("val_loss", F.cross_entropy(logits, y))
        self.log("val_acc", (logits.argmax(1) == y).float().mean())

    def on_train_epoch_end(self):
        m = self.trainer.callback_metrics
        self.curve.append((m["train_loss"].item(), m["val_loss"].item(), m["val_acc"].item()))

    def configure_optimizers(self):
        opt = torch.optim.Adam(self.parameters(), lr=self.lr)
        return {"optimizer": opt, "lr_scheduler": torch.optim.lr_scheduler.CosineAnnealingLR(opt, self.trainer.max_epochs)}


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=15)
    hp = ap.parse_args()

    pl.seed_everything(hp.seed, verbose=False)
    lit = LitMushroom()
    trainer = pl.Trainer(max_epochs=hp.epochs, accelerator="cpu", devices=1, logger=False, num_sanity_val_steps=0,
                         enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
    trainer.fit(lit, datamodule=MushroomData(hp.seed))
    for e, (tl, vl, va) in enumerate(lit.curve):
        print(f"epoch {e:2d}  train_loss {tl:.4f}  val_loss {vl:.4f}  val_acc {va:.3f}")
