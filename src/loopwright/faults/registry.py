"""Which faults there are: the `FAULT` of every file in this folder."""

from __future__ import annotations

import importlib
import pkgutil

from loopwright import faults
from loopwright.errors import UsageError, nearest
from loopwright.faults.fault import Fault

TOOLS = ("fault", "registry", "seams")


def all_faults() -> dict[str, Fault]:
    """Every fault by its name, in the catalogue's order."""
    names = [info.name for info in pkgutil.iter_modules(faults.__path__) if info.name not in TOOLS]
    found = [importlib.import_module(f"{faults.__name__}.{name}").FAULT for name in names]
    return {fault.name: fault for fault in sorted(found, key=lambda fault: (fault.number, fault.name))}


def find_fault(name: str) -> Fault:
    """The fault called `name`. Raises UsageError with the nearest name where there is none."""
    known = all_faults()
    if name not in known:
        raise UsageError(f"fault {name!r}: not known, {nearest(name, known)}")
    return known[name]
