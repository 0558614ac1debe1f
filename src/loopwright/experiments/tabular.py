"""Tables of numbers: a network through the loop, and in the same record the baselines that it has to beat."""

from __future__ import annotations

import math
from dataclasses import replace

from loopwright.core import AdamW, Claim, Cosine, Expect, Experiment
from loopwright.tasks.sources import Bundled
from loopwright.tasks.tabular import Tabular


def tabular() -> Experiment:
    """178 wines by 13 measurements; or a CSV file: --task.data FILE --task.label COLUMN."""
    return Experiment(
        name="tabular",
        task=Tabular(),
        epochs=40,
        batch_size=32,
        # Chosen, like width and dropout, by the validation loss over three seeds on all three data sets.
        optimizer=AdamW(lr=3e-3, weight_decay=1.0),
        schedule=Cosine(warmup=0.1),
        metric="loss",
        mode="min",
        threads=1,
        expect=expected(num_classes=3, accuracy=0.92),
    )


def tabular_breast_cancer() -> Experiment:
    """569 tumors by 30 measurements, malignant or benign."""
    return on("breast-cancer", expected(num_classes=2, accuracy=0.95))


def tabular_digits() -> Experiment:
    """1,797 digits as rows of 64 numbers: 97 % without knowing that they are images."""
    return replace(on("digits", expected(num_classes=10, accuracy=0.965)), batch_size=64)


def on(source: Bundled, expect: Expect) -> Experiment:
    """`tabular` on another data set."""
    return replace(tabular(), name=f"tabular-{source}", task=Tabular(source=source), expect=expect)


def expected(num_classes: int, accuracy: float) -> Expect:
    """Chance at first; on the test rows at least `accuracy`, which eight seeds and three splits all reached."""
    return Expect(math.log(num_classes), (Claim("test.best.accuracy", at_least=accuracy),))
