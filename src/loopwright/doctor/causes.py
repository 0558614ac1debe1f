"""The causes that the doctor can name: what is wrong, the fix in one line, what else could look the same.

The names in `causes.toml` are the vocabulary of findings, of the fault lab's expected diagnoses and of every label that
the doctor is scored against.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cause:
    """`wrong`: what is the matter, as a sentence. `fix`: one line. `otherwise`: what else could explain it."""

    name: str
    wrong: str
    fix: str
    otherwise: str


def read_causes() -> dict[str, Cause]:
    """All causes by their names."""
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    return {name: Cause(name, **told) for name, told in tomllib.loads(text).items()}


CAUSES = read_causes()
