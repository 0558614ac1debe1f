"""What is trained: a tiny MLP, where the loop is all there is, and a small GPT, where it should not be seen at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CLASSES = 4
VOCABULARY, BLOCK, WIDTH, HEADS, LAYERS = 65, 64, 128, 4, 4


@dataclass(frozen=True)
class Workload:
    """A model, its data in memory, and how many steps of it make a round."""

    name: str
    model: Callable[[], nn.Module]
    data: Callable[[], tuple[Tensor, Tensor]]
    batch_size: int
    threads: int
    warmup: int
    steps: int
    rounds: int
    target: float

    def quick(self) -> Workload:
        """Just enough to see that everything runs."""
        return replace(self, warmup=2, steps=self.steps // 8, rounds=2)


def loss_of(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy over samples or tokens; logits (..., C), targets (...)."""
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))


def mlp() -> nn.Module:
    """Two hidden layers of 32 units."""
    return nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, CLASSES))


def points() -> tuple[Tensor, Tensor]:
    """4,096 samples of 32 features; the class is told by the signs of two of them."""
    x = torch.randn(4096, 32, generator=torch.Generator().manual_seed(0))
    return x, (x[:, 0] > 0).long() + 2 * (x[:, 1] > 0).long()


class Layer(nn.Module):
    """Causal attention and a feed-forward part, each on a normalized residual stream."""

    def __init__(self) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.feed = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x_BTD: Tensor) -> Tensor:
        heads = self.qkv(self.norm_1(x_BTD)).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        q_BHTK, k_BHTK, v_BHTK = heads.unbind(0)
        mixed = F.scaled_dot_product_attention(q_BHTK, k_BHTK, v_BHTK, is_causal=True)
        x_BTD = x_BTD + self.out(mixed.transpose(1, 2).flatten(2))
        fed: Tensor = self.feed(self.norm_2(x_BTD))
        return x_BTD + fed


class GPT(nn.Module):
    """Tokens (B, T) to logits (B, T, V)."""

    def __init__(self) -> None:
        super().__init__()
        self.token, self.position = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(BLOCK, WIDTH)
        self.layers = nn.Sequential(*(Layer() for _ in range(LAYERS)))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, VOCABULARY, bias=False)

    def forward(self, tokens_BT: Tensor) -> Tensor:
        x_BTD = self.token(tokens_BT) + self.position.weight[: tokens_BT.shape[1]]
        logits: Tensor = self.head(self.norm(self.layers(x_BTD)))
        return logits


def text() -> tuple[Tensor, Tensor]:
    """288 blocks of random characters, and the same shifted by one."""
    tokens = torch.randint(VOCABULARY, (288, BLOCK + 1), generator=torch.Generator().manual_seed(0))
    return tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()


MLP = Workload("mlp", mlp, points, batch_size=32, threads=1, warmup=64, steps=512, rounds=15, target=0.6)
# An epoch is as long as a round, so that a round of "every epoch saved" holds the saves of that many epochs: 4 and 1.
SMALL_GPT = Workload("gpt", GPT, text, batch_size=12, threads=2, warmup=4, steps=24, rounds=11, target=1.02)


def wide_mlp() -> nn.Module:
    """784-512-512-10, of the size of an MNIST classifier."""
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


def pictures() -> tuple[Tensor, Tensor]:
    """4,096 random flat pictures of 28 x 28."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4096, 784, generator=generator), torch.randint(10, (4096,), generator=generator)


def cnn() -> nn.Module:
    """Two convolutions on pictures of 28 x 28."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 16, 3, stride=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 36, 10),
    )


WIDE_MLP = Workload("wide-mlp", wide_mlp, pictures, batch_size=256, threads=1, warmup=4, steps=32, rounds=9, target=1.1)
CNN = Workload("cnn", cnn, pictures, batch_size=256, threads=1, warmup=4, steps=16, rounds=9, target=1.1)
LARGE_BATCH_GPT = replace(SMALL_GPT, name="gpt-32", batch_size=32, threads=1, warmup=2, steps=8, rounds=9, target=1.1)
WORKLOADS = {workload.name: workload for workload in (MLP, SMALL_GPT)}
