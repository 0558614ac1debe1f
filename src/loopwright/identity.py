"""What runs that differ by their seed alone have in common."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

SEED = "seed"
NAMES = ("experiment", "member")
"""What a run is called; it has no influence on what comes out."""

HARMLESS = ("format", "loopwright", "keep", "save_every", "tensorboard")
"""How the record is kept."""


def identity(config: Mapping[str, Any]) -> str:
    """The configuration, given with dotted names, but for the seed, names and how the record is kept, as a text."""
    left_out = (SEED, *NAMES, *HARMLESS)
    return json.dumps(sorted((key, spelled(value)) for key, value in config.items() if key not in left_out))


def spelled(value: object) -> str:
    """A value as a person writes it; numbers to the last digit."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return f"{value:.1f}"
    return json.dumps(value, default=str)


def brief(key: str, value: object) -> str:
    """The value of a key as a table shows it: of a digest its beginning."""
    text = spelled(value)
    return text[:8] if key.endswith("_sha256") else text
