"""Loopwright: the training loop you own, that proves itself.

The parts, from the ground up: `protocols`, `errors`, `seeding`; `core` (the loop), `store` (checkpoints), `journal`
(the run directory), `models`, `data`, `losses`, `metrics`, `initializers`, `config`; `doctor`; `tasks`; `report`;
`experiments`; `cli`. `loopwright.watch` watches a block of code; `%load_ext loopwright` a notebook.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

WATCHING = ("load_ipython_extension", "unload_ipython_extension", "watch")


def __getattr__(name: str) -> Any:
    """What watches, imported when it is asked for: `import loopwright` does not wait for torch."""
    if name in WATCHING:
        return getattr(importlib.import_module("loopwright.watching"), name)
    raise AttributeError(f"module 'loopwright' has no attribute {name!r}")
