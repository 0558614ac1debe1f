"""What bits depend on besides an experiment's numbers: threads, kernels, strictness. Set inside, given back after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from loopwright.core.experiment import Experiment
from loopwright.core.precision import Precision, determinism

ANY_NUMBER = 1 << 30


@contextmanager
def arithmetic(experiment: Experiment) -> Iterator[None]:
    """Compute as `experiment` says: its threads, its precision's kernels, deterministic operations where it wants them.

    Raises PrecisionError where the machine cannot do what the precision promises.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(experiment.threads or threads)
    precision = Precision(experiment.precision, torch.device(experiment.device))
    try:
        with precision.kernels(), determinism(experiment.deterministic), every_shape_compiled(experiment.compile):
            yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def every_shape_compiled(compiles: bool) -> Iterator[None]:
    """Compile each shape that is met, however many.

    PyTorch gives up after eight, and then the bits of a shape depend on those that were met before it.
    """
    if not compiles:
        yield
        return
    from torch._dynamo import config

    with config.patch(recompile_limit=ANY_NUMBER, accumulated_recompile_limit=ANY_NUMBER):
        yield
