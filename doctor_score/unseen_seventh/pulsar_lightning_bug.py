import argparse
import logging
import warnings

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics.classification import BinaryAccuracy

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class PulsarDataModule(L.LightningDataModule):
    """Folded profiles of pulsar candidates: a narrow pulse in noise or radio interference."""

    def __init__(self, seed: int, batch_size: int = 64):
        super().__init__()
        self.seed = seed
        self.batch_size = batch_size

    def _candidates(self, n, rng):
        phase = np.arange(40)
        y = rng.integers(0, 2, n)
        x = rng.normal(0, 1.0, (n, 40))
        for i in range(n):
            c = rng.uniform(0, 40)
            d = np.minimum(np.abs(phase - c), 40 - np.abs(phase - c))
            if y[i] == 1:
                x[i] += 2.6 * np.exp(-0.5 * (d / 1.8) ** 2)
            else:
                x[i] += 1.3 * np.exp(-0.5 * (d / 6.0) ** 2)
        return TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32))

    def setup(self, stage=None):
        rng = np.random.default_rng(self.seed)
        self.train_set = self._candidates(4000, rng)
        self.val_set = self._candidates(1000, rng)

    def train_dataloader(self):
        return DataLoader(self.train_set, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val_set, batch_size=250)


class PulsarClassifier(L.LightningModule):
    def __init__(self, lr: float = 1e-3, weight_decay: float = 1e-3):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(
            nn.Conv1d(1, 16, 7, padding=3, padding_mode="circular"),
            nn.ReLU(),
            nn.Conv1d(16, 16, 5, padding=2, padding_mode="circular"),
            nn.ReLU(),
            nn.AdaptiveMaxPool1d(1),
            nn.Flatten(),
            nn.Linear(16, 1),
        )
        self.val_acc = BinaryAccuracy()

    def forward(self, x):
        return self.net(x.unsqueeze(1)).squeeze(-1)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.binary_cross_entropy_with_logits(self(x), y)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        logits = self(x)
        self.val_acc.update(torch.sigmoid(logits), y.int())
        self.log("val_loss", F.binary_cross_entropy_with_logits(logits, y))

    def on_validation_epoch_end(self):
        self.log("val_acc", self.val_acc.compute())

    def configure_optimizers(self):
        return torch.optim.AdamW(
            self.parameters(), lr=self.hparams.lr, weight_decay=self.hparams.weight_decay
        )


class PrintCallback(L.Callback):
    def on_train_epoch_end(self, trainer, pl_module):
        m = trainer.callback_metrics
        print(
            f"epoch {trainer.current_epoch:2d} | train_loss {m['train_loss']:.4f} "
            f"| val_loss {m['val_loss']:.4f} | val_acc {m['val_acc']:.4f}"
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    L.seed_everything(args.seed, verbose=False)
    dm = PulsarDataModule(seed=args.seed)
    model = PulsarClassifier()
    trainer = L.Trainer(
        max_epochs=12,
        accelerator="cpu",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[PrintCallback()],
    )
    trainer.fit(model, datamodule=dm)


if __name__ == "__main__":
    main()
