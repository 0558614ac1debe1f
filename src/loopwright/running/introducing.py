"""What a run says of itself before it begins: on what it computes and why, how large it is, how long it goes on."""

from __future__ import annotations

import os
import sys

from torch import nn

from loopwright.core.experiment import Experiment
from loopwright.core.parallel import ALONE, Workers
from loopwright.running.summary import parameter_count


def circumstances(asked: Experiment, used: Experiment, why: str = "as asked") -> str:
    """One line on device, precision and threads of `used`, and why: `asked` is the same before it was resolved."""
    device = why_device(used.device) if asked.device == "auto" else why
    precision = "the default" if used.precision == "fp32" else why
    threads = why if asked.threads else "all cores" if used.shards == 1 else "all cores, divided by the shards"
    if not asked.threads and os.environ.get("OMP_NUM_THREADS", str(used.threads)) != str(used.threads):
        threads += "; --threads changes that, OMP_NUM_THREADS does not"
    exactly = ", operations that are not deterministic are refused" if used.deterministic else ""
    return (
        f"device {used.device} ({device}), precision {used.precision} ({precision}), "
        f"{used.threads} thread{'s' * (used.threads > 1)} ({threads}){exactly}"
    )


def why_device(device: str) -> str:
    """Why `auto` has taken `device`: the first of cuda, mps and cpu that this machine has."""
    if device != "cpu":
        return "found"
    return "no MPS device" if sys.platform == "darwin" else "no CUDA device"


def introduction(experiment: Experiment, model: nn.Module, workers: Workers = ALONE) -> str:
    """One line on what is about to be trained."""
    cadence, size = experiment.cadence(), workers.worker.size
    shards = f" in {experiment.shards} shards on {size} worker{'s' * (size > 1)}" if experiment.shards > 1 else ""
    epochs = f"{cadence.total / cadence.epoch:.4g} epoch{'s' * (cadence.total != cadence.epoch)}"
    return (
        f"{experiment.name}: {parameter_count(model):,} parameters; {cadence.total:,} steps of "
        f"{experiment.batch_size} samples{shards}, {epochs}; best by val {experiment.metric} ({experiment.mode})"
    )
