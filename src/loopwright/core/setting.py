"""A field of an experiment with the line that `--help` shows for it."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def setting(default: Any, help: str) -> Any:
    """A dataclass field with a default and its line of help."""
    return field(default=default, metadata={"help": help})
