"""`make bench`: the speed of the engine beside a bare loop and other libraries, as tables and as JSON.

Usage: python benchmarks/bench.py [SECTION …] [--quick] [--threads N] [--out build/bench.json]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# Waiting threads must not take the cores from the other contestants. OpenMP reads this when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import background
import checkpoints
import comparing
import listing
import loops
import reports
import sequences
import startup
import strings
import torch
import variants
from timing import Section
from workloads import WORKLOADS, Workload

from loopwright.journal import describe_machine

BUSY = 0.1
"""Above this share of the cores at work before anything was started, the numbers are those of a shared machine."""


def busy_share() -> float | None:
    """Which share of all cores other processes are using now; None where psutil is not installed."""
    if not find_spec("psutil"):
        return None
    import psutil

    return float(psutil.cpu_percent(interval=1.0)) / 100


def header() -> dict[str, Any]:
    """The machine, its load, the versions, the date."""
    packages = ("accelerate", "lightning", "pytorch-ignite", "transformers")
    found = {entry.metadata["Name"].lower(): entry.version for entry in metadata.distributions()}
    machine = describe_machine()
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": machine["cpu"],
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "python": machine["python"],
        "torch": torch.__version__,
        "kernels": machine["cpu_capability"],
        "packages": {name: found.get(name) for name in packages},
        "load_before": os.getloadavg(),
        "busy_before": busy_share(),
    }


def introduce(facts: dict[str, Any]) -> None:
    """Print the header."""
    versions = ", ".join(f"{name} {version or 'not installed'}" for name, version in facts["packages"].items())
    print(f"{facts['date']}  {facts['cpu']}, {facts['cores']} cores, {facts['kernels']}")
    print(f"python {facts['python']}, torch {facts['torch']}, {versions}")
    print(f"load average {facts['load_before'][0]:.2f}, cores busy {share(facts['busy_before'])}")
    if (facts["busy_before"] or 0.0) > BUSY:
        print(
            f"WARNING: this machine is not idle, others use more than {BUSY:.0%} of its cores; trust ratios, not times"
        )


def share(value: float | None) -> str:
    """A share in per cent, or that it is not known."""
    return "unknown" if value is None else f"{value:.0%}"


def loop_section(workload: Workload, *, quick: bool, threads: int | None) -> Section:
    """The contestants on one workload."""
    workload = workload.quick() if quick else workload
    return loops.measure(replace(workload, threads=threads or workload.threads))


def sections(quick: bool, threads: int | None) -> dict[str, Callable[[], Section]]:
    """All there is to measure, by name."""
    found: dict[str, Callable[[], Section]] = {
        name: partial(loop_section, workload, quick=quick, threads=threads) for name, workload in WORKLOADS.items()
    }
    found["checkpoints"] = partial(checkpoints.measure, quick=quick)
    found["background"] = partial(background.measure, quick=quick)
    found["shards"] = partial(variants.shards, quick=quick)
    found["deterministic"] = partial(variants.strict, quick=quick)
    found["permutation"] = partial(background.permutation, quick=quick)
    found["strings"] = partial(strings.measure, quick=quick)
    found["sequences"] = partial(sequences.measure, quick=quick)
    found["report"] = partial(reports.measure, quick=quick)
    found["startup"] = partial(startup.measure, quick=quick)
    found["comparing"] = partial(comparing.measure, quick=quick)
    found["memory"] = partial(startup.measure_memory, quick=quick)
    found["listing"] = partial(listing.measure, quick=quick)
    found["histories"] = partial(listing.measure_histories, quick=quick)
    return found


def main() -> None:
    """Measure the sections that were asked for."""
    parser = argparse.ArgumentParser(description="How fast the engine is, beside a bare loop and other libraries.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(sections(False, None))} (all)")
    parser.add_argument("--quick", action="store_true", help="a few steps of everything, to see that it runs")
    parser.add_argument("--threads", type=int, help="CPU threads of the loops (mlp 1, gpt 2)")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"), help="the JSON file (build/bench.json)")
    options = parser.parse_args()
    chosen = sections(options.quick, options.threads)
    if unknown := set(options.sections) - set(chosen):
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(chosen)}")
    Path("build").mkdir(exist_ok=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)

    facts, start = header(), time.perf_counter()
    introduce(facts)
    results: dict[str, Any] = {}
    for name in options.sections or chosen:
        section = chosen[name]()
        print(section.text(), flush=True)
        results[name] = section.data
    facts |= {"load_after": os.getloadavg(), "busy_after": busy_share(), "seconds": time.perf_counter() - start}
    options.out.write_text(json.dumps({"machine": facts, "quick": options.quick, **results}, indent=1) + "\n")
    print(f"\nafterwards: load average {facts['load_after'][0]:.2f}, cores busy {share(facts['busy_after'])}")
    print(f"{facts['seconds']:.0f} s in all; {options.out}")


if __name__ == "__main__":
    main()
