"""Values read from a record's files, printed for a reader; `loopwright.values` takes them out."""

from __future__ import annotations

import math
from typing import Any

from loopwright.values import number

MISSING = "–"


def show(value: Any, digits: int = 4) -> str:
    """`value` for a reader: numbers with `digits` significant digits, lists with commas, None as a dash.

    >>> show(0.99123456), show(123456), show(1e-7), show(True), show(None)
    ('0.9912', '123,456', '1e-07', 'yes', '–')
    """
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**15 else f"{number(value):.{digits}g}"
    if isinstance(value, float):
        return _show_float(value, digits)
    if isinstance(value, list):
        return ", ".join(show(element, digits) for element in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {show(entry, digits)}" for key, entry in value.items())
    return str(value)


def show_metric(value: float | None) -> str:
    """Four significant digits, trailing zeros kept so that a column of metrics lines up."""
    if value is None or not math.isfinite(value) or value == 0 or not 1e-4 <= abs(value) < 1e5:
        return show(value)
    return f"{value:#.4g}".rstrip(".")


def show_seconds(value: float | None) -> str:
    """A duration: `0.42 s`, `12.3 s`, `2 min 05 s`, `1 h 12 min`."""
    if value is None or not math.isfinite(value):
        return show(value)
    minutes, seconds = divmod(round(value), 60)
    if value < 60:
        return f"{value:.3g} s"
    if minutes < 60:
        return f"{minutes} min {seconds:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def _show_float(value: float, digits: int) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value.is_integer() and 1000 <= abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"
