"""What a record of a training has in common with every other: a loss over steps, and whatever else was written down."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

Curve = list[tuple[float, float]]
"""(step, value), in the order of the steps."""

STEP = re.compile(r"(global_?)?(step|iter|iteration|batch|it)s?", re.I)
EPOCH = re.compile(r"epochs?", re.I)
KINDS = (
    (
        "val_loss",
        r"(val|valid|validation|eval|test|dev)[_/ .-]*(loss|nll|cross_entropy)|loss[_/ .-]*(val|valid|eval)\w*",
    ),
    ("accuracy", r"(val|valid|validation|eval|test|dev)[_/ .-]*(acc|accuracy|f1|auc|macro_f1)\w*"),
    ("rate", r"(train[_/ .-]*)?(lr|learning[_ ]?rate)\w*"),
    ("norm", r"(train[_/ .-]*)?(grad|gradient)\w*[_/ .-]*norm"),
    ("loss", r"(train|training)?[_/ .-]*(loss|loss[_/ .-]*total|loss[_/ .-]*train\w*)"),
)
"""How the columns of a record are called, most special names first."""


@dataclass
class Curves:
    """`loss` of training, `val_loss`, `accuracy` of validation (larger is better), learning `rate` and gradient `norm`,
    each a curve that may be empty; `clip_norm` where it is known, `ended`: the step that could not be made."""

    origin: str
    loss: Curve = field(default_factory=list)
    val_loss: Curve = field(default_factory=list)
    accuracy: Curve = field(default_factory=list)
    rate: Curve = field(default_factory=list)
    norm: Curve = field(default_factory=list)
    clip_norm: float = 0.0
    ended: int | None = None

    def add(self, kind: str, step: float, value: float) -> None:
        """One more point of a curve."""
        curve: Curve = getattr(self, kind)
        curve.append((step, value))

    @property
    def last_step(self) -> float:
        """The last step of any curve."""
        return max((curve[-1][0] for curve in (self.loss, self.val_loss, self.rate) if curve), default=0.0)


def kind_of(name: str) -> str | None:
    """Which curve a column, key or tag called `name` belongs to; None for anything else."""
    plain = name.strip()
    return next((kind for kind, pattern in KINDS if re.fullmatch(pattern, plain, re.I)), None)


def add_row(curves: Curves, row: Mapping[str, object], number: int) -> None:
    """The numbers of one row of a table, at its step; at its epoch where there is none, else at its number."""
    numbers = {name: value for name, text in row.items() if (value := as_number(text)) is not None}
    steps = [value for name, value in numbers.items() if STEP.fullmatch(name.strip())]
    epochs = [value for name, value in numbers.items() if EPOCH.fullmatch(name.strip())]
    step = (steps or epochs or [float(number)])[0]
    seen = set[str]()
    for name, value in numbers.items():
        kind = kind_of(name)
        if kind is not None and kind not in seen:
            seen.add(kind)
            curves.add(kind, step, value)


def as_number(text: object) -> float | None:
    """A number, `nan` and `inf` among them; None for anything else."""
    if isinstance(text, bool) or text is None:
        return None
    try:
        return float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
