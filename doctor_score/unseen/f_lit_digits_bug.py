# Handwritten digits (8x8) with a convolutional encoder and a linear head.
import argparse
import logging
import tempfile
import warnings

import lightning as L
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


def build_encoder(channels=24):
    return nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(channels, 2 * channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(2 * channels),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.2),
    )


class DigitClassifier(L.LightningModule):
    def __init__(self, num_classes=10, lr=1e-3):
        super().__init__()
        self.lr = lr
        self.encoder = build_encoder()
        self.head = nn.Linear(self._feature_width(), num_classes)
        self.criterion = nn.CrossEntropyLoss()

    def _feature_width(self):
        """Send one blank image through the encoder to find out how wide its features are."""
        self.encoder.eval()
        with torch.no_grad():
            width = self.encoder(torch.zeros(1, 1, 8, 8)).shape[1]
        return width

    def forward(self, images):
        return self.head(self.encoder(images))

    def training_step(self, batch, _):
        images, labels = batch
        return self.criterion(self(images), labels)

    def validation_step(self, batch, _):
        images, labels = batch
        logits = self(images)
        hits = (logits.argmax(dim=1) == labels).float().mean()
        self.log_dict({"val_loss": self.criterion(logits, labels), "val_acc": hits}, batch_size=len(labels))

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.lr)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=self.trainer.max_epochs)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "epoch"}}


class Report(L.Callback):
    def on_validation_epoch_end(self, trainer, module):
        if not trainer.sanity_checking:
            m = trainer.callback_metrics
            print(f"epoch {trainer.current_epoch}: val_loss={m['val_loss']:.4f} val_acc={m['val_acc']:.4f}")


def loaders(seed):
    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1)
    labels = torch.tensor(digits.target)
    train, val = train_test_split(range(len(labels)), test_size=0.25, stratify=digits.target, random_state=seed)
    mean, std = images[train].mean(), images[train].std()
    images = (images - mean) / std
    return (
        DataLoader(TensorDataset(images[train], labels[train]), batch_size=64, shuffle=True),
        DataLoader(TensorDataset(images[val], labels[val]), batch_size=150),
    )


def cli():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    torch.set_num_threads(1)
    seed = cli().seed
    L.seed_everything(seed, verbose=False)
    train_loader, val_loader = loaders(seed)
    with tempfile.TemporaryDirectory() as tmp:
        trainer = L.Trainer(
            max_epochs=6,
            accelerator="cpu",
            logger=False,
            callbacks=[Report()],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=tmp,
        )
        trainer.fit(DigitClassifier(), train_loader, val_loader)
