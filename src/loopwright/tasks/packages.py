"""Packages that only some tasks need: better asked for before training than missed after it."""

from __future__ import annotations

import importlib.util

from loopwright.errors import ConfigError


def require_packages(*names: str, extra: str = "tabular") -> None:
    """Raise ConfigError, with the remedy, unless the packages called `names`, of the extra `extra`, are installed."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(f"{' and '.join(missing)} not installed; pip install 'loopwright[{extra}]'")
