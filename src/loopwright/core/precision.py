"""Precision as a named choice: what the matrix products compute in, and whether gradients are scaled.

fp32       everything in IEEE single precision (TF32 off on CUDA)
fp32-fast  single precision through the machine's faster kernels: oneDNN's on the CPU, TF32 on CUDA. The CPU's is tried
           first and refused if its error is above single precision's, as where the same switch means bf16.
bf16       autocast to bfloat16; weights and optimizer stay in fp32
fp16       autocast to float16 with a GradScaler
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch

from loopwright.errors import PrecisionError

PrecisionName = Literal["fp32", "fp32-fast", "bf16", "fp16"]

AUTOCAST: dict[str, torch.dtype] = {"bf16": torch.bfloat16, "fp16": torch.float16}
NOT_DETERMINISTIC = re.compile(r"(\S+) does not have a deterministic implementation")
FP32_ERROR = 2e-6
"""Above this relative error a product of 256 x 256 matrices was not computed in single precision (bf16 gives 2e-3)."""


@dataclass(frozen=True)
class Precision:
    """A named precision on a device."""

    name: PrecisionName
    device: torch.device

    def autocast(self) -> AbstractContextManager[object]:
        """The context for forward pass and loss."""
        if self.name in AUTOCAST:
            return torch.autocast(self.device.type, dtype=AUTOCAST[self.name])
        return nullcontext()

    def scaler(self) -> torch.amp.GradScaler:
        """A GradScaler: at work for fp16, transparent for the others."""
        return torch.amp.GradScaler(self.device.type, enabled=self.name == "fp16")

    @contextmanager
    def kernels(self) -> Iterator[None]:
        """Choose the kernels for fp32 products inside; what was chosen before comes back afterwards.

        Raises PrecisionError where fp32-fast would not be single precision on this CPU.
        """
        backends: Any = torch.backends
        cpu, cuda = backends.mkldnn.matmul, (backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn)
        before = [switch.fp32_precision for switch in (cpu, *cuda)]
        fast = self.name == "fp32-fast"
        cpu.fp32_precision = "bf16" if fast else "ieee"
        for switch in cuda:
            switch.fp32_precision = "tf32" if fast else "ieee"
        try:
            if fast and self.device.type == "cpu":
                check_kernel(matmul_error())
            yield
        finally:
            for switch, setting in zip((cpu, *cuda), before, strict=True):
                switch.fp32_precision = setting


def check_kernel(error: float) -> None:
    """Raise PrecisionError where `error` shows that a product was not computed in single precision."""
    if error > FP32_ERROR:
        raise PrecisionError(
            f"precision fp32-fast: this CPU's kernel has a relative error of {error:.1e}, above {FP32_ERROR:.0e}; "
            "use --precision fp32, or --precision bf16 to compute in bf16 knowingly"
        )


def matmul_error(size: int = 256) -> float:
    """Relative error of an fp32 product of two size x size matrices as this process computes it now, against fp64."""
    generator = torch.Generator().manual_seed(0)
    left, right = torch.randn(2, size, size, generator=generator)
    exact = left.double() @ right.double()
    return float(((left @ right).double() - exact).norm() / exact.norm())


@contextmanager
def determinism(strict: bool) -> Iterator[None]:
    """Inside, with `strict`, an operation that is not deterministic raises; the old setting comes back afterwards."""
    before = torch.are_deterministic_algorithms_enabled()
    if strict == before:  # setting it costs two seconds: torch imports its compiler to tell it
        yield
        return
    if strict:  # cuBLAS reads it when CUDA is first used
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(strict)
    try:
        with refusals_named():
            yield
    finally:
        torch.use_deterministic_algorithms(before)


@contextmanager
def refusals_named() -> Iterator[None]:
    """An operation that PyTorch refuses in its deterministic mode is raised as a PrecisionError with a way out."""
    try:
        yield
    except RuntimeError as error:
        refused = NOT_DETERMINISTIC.match(str(error))
        if refused is None:
            raise
        raise PrecisionError(
            f"deterministic: {refused[1]} has no deterministic implementation on this device; "
            "use another operation or --device cpu, or leave --deterministic out and lose the promise for it"
        ) from error
