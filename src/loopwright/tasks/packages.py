"""Packages that only some tasks need: better asked for before training than missed after it."""

from __future__ import annotations

import importlib.util

from loopwright.errors import ConfigError


def require_packages(*names: str) -> None:
    """Raise ConfigError, with the remedy, unless the packages of the extra `tabular` called `names` are installed."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(f"{' and '.join(missing)} not installed; pip install 'loopwright[tabular]'")
