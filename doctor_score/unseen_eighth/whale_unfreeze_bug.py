"""Transfer learning: a network trained on bird calls is adapted to whale calls.

Stage 0   pretrain on the big set of birds (in real life: download the weights)
Stage 1   only the new head is trained, the encoder is frozen
Stage 2   the encoder is unfrozen and everything is trained with a small learning rate
"""
import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F

ap = argparse.ArgumentParser()
ap.add_argument("--seed", default=0, type=int)
args = ap.parse_args()
torch.manual_seed(args.seed)

BANDS, FRAMES = 16, 20


def calls(n, prototypes, noise):
    """Spectrogram patches: a contour (start, slope, bend) over frames plus noise."""
    y = torch.randint(0, len(prototypes), (n,))
    start, slope, bend = (prototypes[y] + 0.35 * torch.randn(n, 3)).unbind(1)
    t = torch.linspace(-1, 1, FRAMES)
    f0 = 8 + 3 * start[:, None] + 3.5 * slope[:, None] * t + 3 * bend[:, None] * (t**2 - 0.4)
    b = torch.arange(BANDS).float()
    x = torch.exp(-0.5 * ((b[None, :, None] - f0[:, None, :]) / 0.9) ** 2)
    return x, y, noise


def finish(x, noise, whale):
    if whale:  # under water: smeared in time, other polarity of the recorder, a strong hum
        x = 0.5 * x + 0.5 * x.roll(2, 2)
        x = 0.6 - x + 0.5 * torch.sin(torch.arange(BANDS).float())[:, None]
    x = x + noise * torch.randn_like(x)
    return x.unsqueeze(1)


class CallNet(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(24 * 4 * 5, 64), nn.ReLU(),
        )
        self.head = nn.Linear(64, n_classes)

    def forward(self, x):
        return self.head(self.encoder(x))


def fit(model, optimizer, data, epochs, tag, val=None):
    x, y = data
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(50):
            loss = F.cross_entropy(model(x[idx]), y[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        line = f"[{tag}] epoch {epoch + 1:2d}  loss {total / len(x):.4f}"
        if val is not None:
            model.eval()
            with torch.no_grad():
                line += f"  val acc {(model(val[0]).argmax(1) == val[1]).float().mean().item():.3f}"
        if (epoch + 1) % 3 == 0:
            print(line)


birds = torch.randn(12, 3)
whales = torch.randn(8, 3)

# ---- stage 0
bx, by, bn = calls(4000, birds, 0.3)
source = CallNet(12)
bx = finish(bx, bn, False)
fit(source, torch.optim.Adam(source.parameters(), lr=1e-3), ((bx - bx.mean()) / bx.std(), by), 6, "pretrain")

# ---- the new task
wx, wy, wn = calls(1400, whales, 0.35)
wx = finish(wx, wn, True)
wx = (wx - wx[:800].mean()) / wx[:800].std()
train_set, val_set = (wx[:800], wy[:800]), (wx[800:], wy[800:])

model = CallNet(8)
model.encoder.load_state_dict(source.encoder.state_dict())

# ---- stage 1
for p in model.encoder.parameters():
    p.requires_grad = False
optimizer = torch.optim.Adam(model.head.parameters(), lr=2e-3)
fit(model, optimizer, train_set, 9, "head", val_set)

# ---- stage 2
model.encoder.requires_grad = True
optimizer = torch.optim.Adam([
    {"params": model.encoder.parameters(), "lr": 5e-4},
    {"params": model.head.parameters(), "lr": 1e-3},
])
fit(model, optimizer, train_set, 18, "all", val_set)
