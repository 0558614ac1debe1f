"""The straight line."""

from __future__ import annotations

from loopwright.core import Adam, Claim, Cosine, Expect, Experiment
from loopwright.tasks.line import Line


def line() -> Experiment:
    """y = 2x + 1 with noise: finds the 2 and the 1."""
    return Experiment(
        name="line",
        task=Line(),
        epochs=30,
        batch_size=32,
        optimizer=Adam(lr=0.05),
        schedule=Cosine(),
        metric="loss",
        mode="min",
        threads=1,
        expect=Expect(
            claims=(
                Claim("test.best.slope", at_least=1.97, at_most=2.03),
                Claim("test.best.intercept", at_least=0.97, at_most=1.03),
            )
        ),
    )
