"""What every study reads of its members, and the picture it draws of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loopwright.lines import Record, scan_history

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def records(metrics: Mapping[str, Any], kind: str) -> list[Record]:
    """The records of one kind, "step" or "validation", in the history of the member with these `metrics`; none where it
    has no history. Numbers that are not finite are floats."""
    path = Path(metrics["run"]) / "logs" / "history.jsonl"
    found = scan_history(path, revived=True) if path.is_file() else iter(())
    return [record for record in found if record.get("kind") == kind]


def reached(metrics: Mapping[str, Any], split: str, weights: str = "best") -> Mapping[str, Any]:
    """What the `best` or the `last` weights of a member reached on a split; nothing where it failed before."""
    found: Mapping[str, Any] = metrics.get(split, {}).get(weights, {})
    return found


@contextmanager
def panels(path: Path, count: int, size: tuple[float, float], *, sharey: bool = False) -> Iterator[list[Axes]]:
    """`count` axes side by side, together of `size` in inches; written to `path` when all is drawn, without a date."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    yield list(figure.subplots(1, count, sharey=sharey, squeeze=False)[0])
    figure.savefig(path, metadata={"Date": None})


def shared_legend(axes: Axes) -> None:
    """The legend of one panel, outside, for all of them."""
    axes.figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
