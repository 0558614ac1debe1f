"""What watching costs: the same training bare, watched, and bare again, interleaved, block by block."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from loopwright.doctor.doctor import Doctor

BLOCKS = 7


@dataclass(frozen=True)
class Cost:
    """Of a program: microseconds of a bare step; the time of a watched block over the mean of the bare ones around it,
    and of the second bare one over the first: the median over blocks, and the largest."""

    name: str
    step_us: float
    ratio: float
    control: float
    worst: float
    worst_control: float
    steps: int


class Tiny(nn.Module):
    """Two layers of 32 units: the worst case, where a step is nothing but calls."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 4))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 16) to (B, 4)."""
        logits: Tensor = self.layers(x)
        return logits


class Block(nn.Module):
    """A pre-norm transformer block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) to the same."""
        b, t, d = x.shape
        q, k, v = self.qkv(self.norm_1(x)).view(b, t, 3, 4, d // 4).permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(b, t, d)
        x = x + self.out(y)
        mixed: Tensor = x + self.mlp(self.norm_2(x))
        return mixed


class GPT(nn.Module):
    """Four blocks of width 128."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.places = nn.Embedding(65, 128), nn.Embedding(64, 128)
        self.blocks = nn.Sequential(*(Block(128) for _ in range(4)))
        self.head = nn.Linear(128, 65)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T) to (B T, 65)."""
        x = self.embedding(tokens) + self.places(torch.arange(tokens.shape[1]))
        return self.head(self.blocks(x)).flatten(0, 1)  # type: ignore[no-any-return]


def cnn() -> nn.Module:
    """Three convolutions for 16x16 images."""
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(512, 10)),
    )


def training(make: Callable[[], nn.Module], x: Tensor, y: Tensor, batch: int) -> Callable[[int], None]:
    """A plain training loop; called with a number of steps."""

    def train(steps: int) -> None:
        torch.manual_seed(0)
        model = make()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        for step in range(steps):
            first = step * batch % (len(x) - batch)
            logits = model(x[first : first + batch])
            loss = functional.cross_entropy(logits, y[first : first + batch].reshape(-1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return train


def programs() -> dict[str, tuple[Callable[[int], None], int]]:
    """The programs, and how many steps a block has: some seconds."""
    generator = torch.Generator().manual_seed(0)
    flat = torch.randn(4096, 16, generator=generator)
    images = torch.randn(1024, 1, 16, 16, generator=generator)
    tokens = torch.randint(0, 65, (512, 65), generator=generator)
    classes = (flat[:, 0] > 0).long() + 2 * (flat[:, 1] > 0).long()
    kinds = torch.randint(0, 10, (1024,), generator=generator)
    return {
        "tiny MLP": (training(Tiny, flat, classes, 32), 16000),
        "CNN": (training(cnn, images, kinds, 32), 1200),
        "GPT": (training(GPT, tokens[:, :-1], tokens[:, 1:], 8), 160),
    }


def timed(train: Callable[[int], None], steps: int, *, watched: bool) -> float:
    """Seconds of a block."""
    gc.collect()
    doctor = Doctor()
    began = time.perf_counter()
    if watched:
        doctor.start()
    train(steps)
    seconds = time.perf_counter() - began
    if watched:
        doctor.stop()
    return seconds


def overhead(blocks: int = BLOCKS, share: float = 1.0) -> list[Cost]:
    """The cost for each program; `share` shortens the blocks."""
    torch.set_num_threads(1)
    found = []
    for name, (train, full) in programs().items():
        steps = max(1, int(full * share))
        train(max(1, steps // 10))
        rows = [
            (
                timed(train, steps, watched=False),
                timed(train, steps, watched=True),
                timed(train, steps, watched=False),
            )
            for _ in range(blocks)
        ]
        ratios = [watched / ((bare + again) / 2) for bare, watched, again in rows]
        controls = [again / bare for bare, _, again in rows]
        found.append(
            Cost(
                name,
                1e6 * statistics.median(bare for bare, _, _ in rows) / steps,
                statistics.median(ratios),
                statistics.median(controls),
                max(ratios),
                max(controls),
                steps,
            )
        )
    return found
