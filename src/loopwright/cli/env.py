"""`loopwright env`: platform, versions, threads, and how fast this machine multiplies in each precision."""

from __future__ import annotations

import json
import time
from typing import Any

import torch

from loopwright.cli.parsing import parser
from loopwright.cli.tables import table
from loopwright.core.experiment import resolve_device
from loopwright.core.precision import Precision, PrecisionName, matmul_error
from loopwright.errors import PrecisionError
from loopwright.journal import describe_machine

NAMES: tuple[PrecisionName, ...] = ("fp32", "fp32-fast", "bf16", "fp16")


def run(arguments: list[str]) -> int:
    """Print what a bug report needs."""
    options = parser("env", "Platform, versions, threads, and the measured rate of matrix products (two seconds).")
    options.add_argument("--json", action="store_true", help="as JSON")
    parsed = options.parse_all(arguments)
    device = torch.device(resolve_device("auto"))
    facts = {**describe_machine(), "device": str(device), "threads": torch.get_num_threads()}
    rates = {name: matmul_rate(Precision(name, device)) for name in NAMES}
    if parsed.json:
        print(json.dumps({**facts, "matmul": rates}, indent=2))
        return 0
    print(table(list(facts.items())))
    rows = [(name, rate.get("gflops"), rate.get("error"), rate.get("refused", "")) for name, rate in rates.items()]
    print()
    print(table([("precision", "GFLOP/s", "relative error", ""), *rows], right=frozenset({1, 2})))
    return 0


def matmul_rate(precision: Precision, size: int = 1024, seconds: float = 0.4) -> dict[str, Any]:
    """The best rate of a size x size product in `precision`, in GFLOP/s, and its error; or why it is refused."""
    left, right = torch.randn(2, size, size, device=precision.device)
    best = float("inf")
    try:
        with precision.kernels(), precision.autocast():
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                start = time.perf_counter()
                (left @ right)[0, 0].item()
                best = min(best, time.perf_counter() - start)
            error = matmul_error()
    except PrecisionError as refusal:
        return {"refused": str(refusal)}
    return {"gflops": round(2 * size**3 / best / 1e9, 1), "error": error}
