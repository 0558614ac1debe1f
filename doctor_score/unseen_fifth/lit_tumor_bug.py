"""Benign or malignant? A LightningModule for the Wisconsin breast cancer table."""
import argparse
import logging
import tempfile
import warnings

import lightning as L
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore", ".*does not have many workers.*")
logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)


class TumorData(L.LightningDataModule):
    def __init__(self, batch_size=32, seed=0):
        super().__init__()
        self.batch_size = batch_size
        self.seed = seed

    def setup(self, stage=None):
        if hasattr(self, "train_set"):
            return
        x, y = load_breast_cancer(return_X_y=True)
        x_tr, x_te, y_tr, y_te = train_test_split(x, y, test_size=0.2, stratify=y, random_state=self.seed)
        x_tr, x_va, y_tr, y_va = train_test_split(x_tr, y_tr, test_size=0.2, stratify=y_tr,
                                                  random_state=self.seed)
        self.train_set = self.as_dataset(x_tr, y_tr)
        self.val_set = self.as_dataset(x_va, y_va)
        self.test_set = self.as_dataset(x_te, y_te)

    @staticmethod
    def as_dataset(x, y):
        return TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32))

    def train_dataloader(self):
        return DataLoader(self.train_set, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val_set, batch_size=128)

    def test_dataloader(self):
        return DataLoader(self.test_set, batch_size=128)


class TumorClassifier(L.LightningModule):
    def __init__(self, n_features=30, hidden=32, lr=1e-2):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(
            nn.Linear(n_features, hidden), nn.Tanh(), nn.Dropout(0.1),
            nn.Linear(hidden, hidden), nn.Tanh(), nn.Dropout(0.1),
            nn.Linear(hidden, 1),
        )

    def forward(self, x):
        return self.net(x).squeeze(-1)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.binary_cross_entropy_with_logits(self(x), y)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def evaluate(self, batch, name):
        x, y = batch
        logits = self(x)
        loss = F.binary_cross_entropy_with_logits(logits, y)
        acc = ((logits > 0) == (y > 0.5)).float().mean()
        self.log_dict({f"{name}_loss": loss, f"{name}_acc": acc}, on_step=False, on_epoch=True)

    def validation_step(self, batch, batch_idx):
        self.evaluate(batch, "val")

    def test_step(self, batch, batch_idx):
        self.evaluate(batch, "test")

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=self.hparams.lr, momentum=0.9, weight_decay=1e-3)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=self.trainer.max_epochs)
        return {"optimizer": optimizer, "lr_scheduler": scheduler}  # stepped once an epoch by default


class PrintProgress(L.Callback):
    def on_train_epoch_end(self, trainer, module):
        if trainer.current_epoch % 5 == 4:
            m = trainer.callback_metrics
            print(f"epoch {trainer.current_epoch + 1:3d}  train {m['train_loss'].item():.4f}  "
                  f"val {m['val_loss'].item():.4f}  val accuracy {m['val_acc'].item():.4f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=40)
    args = parser.parse_args()
    torch.set_num_threads(1)
    np.random.seed(args.seed)
    L.seed_everything(args.seed)

    data, model = TumorData(seed=args.seed), TumorClassifier()
    with tempfile.TemporaryDirectory() as root:
        trainer = L.Trainer(max_epochs=args.epochs, accelerator="cpu", devices=1, default_root_dir=root,
                            logger=False, enable_checkpointing=False, enable_progress_bar=False,
                            enable_model_summary=False, num_sanity_val_steps=0,
                            callbacks=[PrintProgress()])
        trainer.fit(model, datamodule=data)
        result = trainer.test(model, datamodule=data, verbose=False)[0]
    print(f"final: test loss {result['test_loss']:.4f}, test accuracy {result['test_acc']:.4f}")


if __name__ == "__main__":
    main()
