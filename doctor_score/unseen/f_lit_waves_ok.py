"""Tell four kinds of waveform apart with a small 1-d convolutional network (Lightning)."""
import argparse
import logging
import tempfile
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics.classification import MulticlassAccuracy

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", message=".*does not have many workers.*")


def make_waves(count, generator, length=64):
    kind = torch.randint(0, 4, (count,), generator=generator)
    freq = 2 + 3 * torch.rand(count, 1, generator=generator)
    phase = torch.rand(count, 1, generator=generator)
    turns = (freq * torch.linspace(0, 1, length) + phase) % 1.0
    shapes = torch.stack(
        [
            torch.sin(2 * torch.pi * turns) * 1.4142,
            torch.sign(turns - 0.5),
            (2 * turns - 1) * 1.732,
            (4 * (turns - 0.5).abs() - 1) * 1.732,
        ]
    )
    clean = shapes[kind, torch.arange(count)]
    noisy = clean + 0.3 * torch.randn(count, length, generator=generator)
    return noisy.unsqueeze(1) / 1.044, kind


class WaveData(L.LightningDataModule):
    def __init__(self, seed, batch_size=64):
        super().__init__()
        self.seed, self.batch_size = seed, batch_size

    def setup(self, stage=None):
        generator = torch.Generator().manual_seed(self.seed)
        self.train_set = TensorDataset(*make_waves(2048, generator))
        self.val_set = TensorDataset(*make_waves(512, generator))

    def train_dataloader(self):
        return DataLoader(self.train_set, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val_set, batch_size=128)


class WaveNet(L.LightningModule):
    def __init__(self, lr=3e-3):
        super().__init__()
        self.lr = lr
        self.net = nn.Sequential(
            nn.Conv1d(1, 16, 7, padding=3), nn.BatchNorm1d(16), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(16, 32, 5, padding=2), nn.BatchNorm1d(32), nn.ReLU(),
            nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(32, 4),
        )
        self.val_acc = MulticlassAccuracy(num_classes=4, average="micro")
        self.history = []

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        logits = self(x)
        self.val_acc.update(logits, y)
        self.log("val_loss", F.cross_entropy(logits, y), batch_size=len(y))

    def on_validation_epoch_end(self):
        accuracy = self.val_acc.compute()
        self.log("val_acc", accuracy, prog_bar=True)
        self.val_acc.reset()
        if not self.trainer.sanity_checking:
            self.history.append(accuracy.item())

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.lr, weight_decay=1e-2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    L.seed_everything(args.seed, verbose=False)
    with tempfile.TemporaryDirectory() as root:
        model = WaveNet()
        trainer = L.Trainer(
            max_epochs=8, accelerator="cpu", default_root_dir=root, logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False,
        )
        trainer.fit(model, datamodule=WaveData(args.seed))
    for epoch, accuracy in enumerate(model.history):
        print(f"epoch {epoch}  val_acc {accuracy:.3f}")
    print(f"val_loss {trainer.callback_metrics['val_loss'].item():.4f}")


if __name__ == "__main__":
    main()
