"""A campaign in a process of its own: what it does to signals, threads and memory ends with it."""

from __future__ import annotations

import importlib
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from guarantees.section import Scale, Section


def measure(name: str, scale: Scale) -> Section:
    """Run the campaign in the module of that name in this process."""
    found: Section = importlib.import_module(f"guarantees.{name}").measure(scale)
    return found


def measure_apart(name: str, scale: Scale) -> Section:
    """Run it in a new process."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, name, scale).result()
