"""Self-supervised pretraining on sensor windows: hide a third of the patches, reconstruct them."""
import argparse
import math
from dataclasses import dataclass

import torch
from torch import nn, Tensor


@dataclass
class Settings:
    n_patches: int = 12
    patch_len: int = 8
    d_model: int = 64
    n_heads: int = 4
    n_layers: int = 2
    n_masked: int = 4
    batch: int = 64
    steps: int = 1400
    lr: float = 1.5e-3


class PositionalEncoding(nn.Module):
    def __init__(self, d_model: int, max_len: int = 64):
        super().__init__()
        position = torch.arange(max_len).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2) * (-math.log(100.0) / d_model))
        pe = torch.zeros(1, max_len, d_model)
        pe[0, :, 0::2] = torch.sin(position * div_term)
        pe[0, :, 1::2] = torch.cos(position * div_term)
        self.register_buffer("pe", pe)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.pe[:, : x.size(1)]


class MaskedPatchModel(nn.Module):
    def __init__(self, cfg: Settings):
        super().__init__()
        self.embed = nn.Linear(cfg.patch_len, cfg.d_model)
        self.mask_token = nn.Parameter(0.02 * torch.randn(cfg.d_model))
        self.pos_encoder = PositionalEncoding(cfg.d_model)
        layer = nn.TransformerEncoderLayer(cfg.d_model, cfg.n_heads, 2 * cfg.d_model, dropout=0.0,
                                           activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, cfg.n_layers, enable_nested_tensor=False)
        self.decode = nn.Sequential(nn.LayerNorm(cfg.d_model), nn.Linear(cfg.d_model, cfg.patch_len))

    def forward(self, patches: Tensor, hidden: Tensor) -> Tensor:
        h = self.embed(patches)
        h = torch.where(hidden.unsqueeze(-1), self.mask_token, h)
        self.pos_encoder(h)
        return self.decode(self.encoder(h))


def windows(n: int, cfg: Settings, gen: torch.Generator) -> Tensor:
    """Vibration of a machine: one tone with a slow modulation, plus sensor noise."""
    t = torch.arange(cfg.n_patches * cfg.patch_len).float()
    r = lambda lo, hi: lo + (hi - lo) * torch.rand(n, 1, generator=gen)
    x = r(0.8, 1.5) * torch.sin(2 * math.pi * t / r(24, 44) + r(0, 2 * math.pi))
    x = x + 0.8 * torch.sin(2 * math.pi * t / r(90, 140) + r(0, 2 * math.pi))
    x = x + 0.05 * torch.randn(x.shape, generator=gen)
    return x.view(n, cfg.n_patches, cfg.patch_len)


def random_mask(n: int, cfg: Settings, gen: torch.Generator) -> Tensor:
    rank = torch.rand(n, cfg.n_patches, generator=gen).argsort(1).argsort(1)
    return rank < cfg.n_masked


def pretrain(seed: int):
    cfg = Settings()
    torch.manual_seed(seed)
    gen = torch.Generator().manual_seed(seed)
    train = windows(6000, cfg, gen)
    valid = windows(600, cfg, gen)
    valid_mask = random_mask(600, cfg, gen)

    model = MaskedPatchModel(cfg)
    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg.lr, weight_decay=0.01)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, cfg.lr, total_steps=cfg.steps, pct_start=0.1)

    running, step = 0.0, 0
    while step < cfg.steps:
        for idx in torch.randperm(len(train), generator=gen).split(cfg.batch):
            batch = train[idx]
            hidden = random_mask(len(batch), cfg, gen)
            rec = model(batch, hidden)
            loss = nn.functional.mse_loss(rec[hidden], batch[hidden])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            running += loss.item()
            step += 1
            if step % 200 == 0:
                model.eval()
                with torch.no_grad():
                    rec = model(valid, valid_mask)
                    err = nn.functional.mse_loss(rec[valid_mask], valid[valid_mask]).item()
                model.train()
                print(f"step {step}: masked mse train {running / 200:.4f} valid {err:.4f} "
                      f"(variance {valid[valid_mask].var().item():.4f})")
                running = 0.0
            if step == cfg.steps:
                break


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    pretrain(p.parse_args().seed)
