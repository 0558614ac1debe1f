"""The same model on growing sets and batch sizes: does time grow as it should, and does training stay stable?"""

from __future__ import annotations

from dataclasses import replace

from loopwright.core import Constant, Expect, Experiment, Study
from loopwright.experiments.points import points
from loopwright.studies.scale import conclude
from loopwright.tasks.points import Points

SIZES = (100, 1_000, 10_000, 100_000)
BATCH_SIZES = (32, 256, 1_024)
STEPS = 3_200  # an epoch of the largest set in the smallest batches, and a little more


def points_scale() -> Study:
    """The same model on 100 to 100,000 points in batches of 32 to 1,024: what becomes of time and stability."""
    members = [member(n, batch_size) for n in SIZES for batch_size in BATCH_SIZES if batch_size <= n]
    return Study("points-scale", tuple(members), conclude)


def member(n: int, batch_size: int) -> Experiment:
    """`points` with `n` points. The rate stays up: what the end of the run shows is not the schedule's doing."""
    return replace(
        points(),
        name=f"n{n}-batch{batch_size}",
        task=Points(n=n),
        batch_size=batch_size,
        steps=STEPS,
        schedule=Constant(warmup=20),
        eval_every=STEPS,
        expect=Expect(),
    )
