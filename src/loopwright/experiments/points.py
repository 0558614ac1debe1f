"""Points in the plane: can the loop learn a hundred points by heart?"""

from __future__ import annotations

import math
from dataclasses import replace

from loopwright.core import AdamW, Claim, Cosine, Expect, Experiment
from loopwright.tasks.points import Points, Shape

LEARNED = Expect(
    initial_loss=math.log(2),
    claims=(Claim("train.last.accuracy", at_least=1.0), Claim("train.last.loss", at_most=1e-3)),
)


def points() -> Experiment:
    """100 points on two spirals, learned to the last one."""
    return Experiment(
        name="points",
        task=Points(),
        steps=1500,
        batch_size=100,
        optimizer=AdamW(lr=1e-2, weight_decay=0.0),
        schedule=Cosine(warmup=20),
        eval_every=50,
        metric="loss",
        mode="min",
        threads=1,
        expect=LEARNED,
    )


def points_linear() -> Experiment:
    """100 points on either side of a line."""
    return of_shape("linear")


def points_circles() -> Experiment:
    """100 points in a disc and a ring around it."""
    return of_shape("circles")


def points_xor() -> Experiment:
    """100 points in four squares, opposite ones alike."""
    return of_shape("xor")


def of_shape(shape: Shape, n: int = 100) -> Experiment:
    """`points` with another shape."""
    return replace(points(), name=f"points-{shape}", task=Points(shape=shape, n=n))
