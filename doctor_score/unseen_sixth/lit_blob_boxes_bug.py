import argparse
import logging
import tempfile
import warnings

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class BlobDataModule(L.LightningDataModule):
    """Grey images with one bright ellipse each; the target is its box as (cx, cy, w, h) in [0, 1]."""

    def __init__(self, seed: int, size: int = 28, batch_size: int = 32):
        super().__init__()
        self.seed, self.size, self.batch_size = seed, size, batch_size

    def _make(self, n, rng):
        s = self.size
        yy, xx = np.mgrid[0:s, 0:s] + 0.5
        images = rng.normal(0.0, 0.3, (n, 1, s, s))
        boxes = np.zeros((n, 4))
        for i in range(n):
            w, h = rng.uniform(5, 14, 2)
            cx, cy = rng.uniform(w / 2, s - w / 2), rng.uniform(h / 2, s - h / 2)
            inside = ((xx - cx) / (w / 2)) ** 2 + ((yy - cy) / (h / 2)) ** 2 <= 1
            images[i, 0] += inside * rng.uniform(0.8, 1.6)
            boxes[i] = np.array([cx, cy, w, h]) / s
        return TensorDataset(torch.tensor(images, dtype=torch.float32), torch.tensor(boxes, dtype=torch.float32))

    def setup(self, stage=None):
        rng = np.random.default_rng(self.seed)
        self.train_set = self._make(1280, rng)
        self.val_set = self._make(320, rng)

    def train_dataloader(self):
        return DataLoader(self.train_set, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val_set, batch_size=self.batch_size)


def box_iou(a, b):
    a_lo, a_hi = a[:, :2] - a[:, 2:] / 2, a[:, :2] + a[:, 2:] / 2
    b_lo, b_hi = b[:, :2] - b[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2
    inter = (torch.minimum(a_hi, b_hi) - torch.maximum(a_lo, b_lo)).clamp(min=0).prod(1)
    union = a[:, 2:].clamp(min=0).prod(1) + b[:, 2:].prod(1) - inter
    return inter / union


class BoxRegressor(L.LightningModule):
    def __init__(self, lr: float = 2e-3):
        super().__init__()
        self.save_hyperparameters()
        self.backbone = nn.Sequential(
            nn.Conv2d(1, 12, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(12, 24, 3, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(),
            nn.Linear(24 * 7 * 7, 64), nn.ReLU(),
        )
        self.head = nn.Linear(64, 4)

    def forward(self, x):
        return self.head(self.backbone(x))

    def training_step(self, batch, batch_idx):
        x, box = batch
        loss = F.smooth_l1_loss(self(x), box, beta=0.1)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        x, box = batch
        pred = self(x)
        self.log("val_loss", F.smooth_l1_loss(pred, box, beta=0.1))
        self.log("val_iou", box_iou(pred, box).mean())

    def on_train_epoch_end(self):
        m = self.trainer.callback_metrics
        print(f"epoch {self.current_epoch}: train_loss {m['train_loss']:.4f} "
              f"val_loss {m['val_loss']:.4f} val_iou {m['val_iou']:.3f}")

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.hparams.lr)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.4)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step", "frequency": 1},
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    L.seed_everything(args.seed)
    torch.set_num_threads(1)

    with tempfile.TemporaryDirectory() as root:
        trainer = L.Trainer(
            max_epochs=12,
            accelerator="cpu",
            devices=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            default_root_dir=root,
        )
        trainer.fit(BoxRegressor(), datamodule=BlobDataModule(args.seed))
