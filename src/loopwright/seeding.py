"""Integers in, random numbers out: nothing random in a run depends on anything but integers.

A generator is never advanced from step to step. Before each use it is set from `fold(seed, purpose, ...)`, so that
any step, shard or sample can be computed again on its own, in any process. The mixing function is the finalizer of
SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, section 3).
"""

from __future__ import annotations

import enum
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

UInt64 = npt.NDArray[np.uint64]
Uniform = Callable[[int], Tensor]

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_MUL_1 = 0xBF58476D1CE4E5B9
_MUL_2 = 0x94D049BB133111EB


class Purpose(enum.IntEnum):
    """What a random number is for. The numbers are part of every recorded run: add to them, never change them."""

    INIT = 1
    SHUFFLE = 2
    STEP = 3
    AUGMENT = 4
    EVALUATE = 5
    SPLIT = 6
    GENERATE = 7
    SWEEP = 8


def mix(value: int) -> int:
    """SplitMix64's finalizer: a bijection of the 64-bit integers that flips about half of the bits."""
    value = ((value ^ (value >> 30)) * _MUL_1) & _MASK
    value = ((value ^ (value >> 27)) * _MUL_2) & _MASK
    return value ^ (value >> 31)


def fold(*integers: int) -> int:
    """One seed in [0, 2^63) from any number of integers; their order matters.

    >>> fold(0, Purpose.STEP, 1, 2) == fold(0, Purpose.STEP, 2, 1)
    False
    """
    state = 0
    for integer in integers:
        state = mix((state + _GOLDEN + (integer & _MASK)) & _MASK)
    return state >> 1


def mix_array(values: UInt64) -> UInt64:
    """`mix` for a whole array of uint64 at once."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(_MUL_1)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(_MUL_2)
    mixed: UInt64 = values ^ (values >> np.uint64(31))
    return mixed


def uniform(seed: int, epoch: int, samples: Tensor) -> Uniform:
    """Random numbers that belong to a sample in an epoch, whichever batch, shard or process it is met in.

    `samples` is an int64 tensor (B,) of sample numbers. What comes back is called with a count k and gives a float32
    tensor (B, k) in [0, 1); each call continues the samples' own streams.
    """
    base = mix_array(samples.cpu().numpy().astype(np.uint64) + np.uint64(fold(seed, Purpose.AUGMENT, epoch)))
    drawn = 0

    def draw(count: int) -> Tensor:
        nonlocal drawn
        counters = np.arange(drawn + 1, drawn + count + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
        drawn += count
        bits = mix_array(base[:, None] + counters[None, :]) >> np.uint64(40)
        return torch.from_numpy(bits.astype(np.float32) * np.float32(2.0**-24)).to(samples.device)

    return draw


def seed_generators(seed: int) -> None:
    """Set Python's, NumPy's and PyTorch's global generators, and those of the current CUDA device if CUDA is in use.

    This calls the generators' own `manual_seed`, about 6 µs in all; `torch.manual_seed` takes about 90 µs.
    """
    random.seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.default_generators[torch.cuda.current_device()].manual_seed(seed)


@contextmanager
def preserved_generators() -> Iterator[None]:
    """Leave the global generators exactly as they were, whatever is drawn inside."""
    python, numpy, cpu = random.getstate(), np.random.get_state(), torch.default_generator.get_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.default_generator.set_state(cpu)
        if cuda:
            torch.cuda.set_rng_state_all(cuda)
