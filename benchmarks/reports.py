"""The report of a run of a million steps: how long it takes, how much memory, how large the page, how soon it is drawn.

`python benchmarks/reports.py RUN` writes one report and prints its peak memory in bytes.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from startup import peak_bytes
from timing import Section, Spread, show

ROUNDS = 5
STEPS, QUICK = 1_000_000, 20_000
EVALUATIONS = 200
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LINE = (
    '{"kind":"step","step":%d,"epoch":%d,"lr":%r,"samples":64,"loss":{"total":%r,"next":%r,"class":%r},'
    '"grad_norm":%r,"seconds":%r}\n'
)


def write_run(run: Path, steps: int) -> None:
    """A run of so many steps, of two components, with its evaluations; no generator of numbers takes as long."""
    (run / "logs").mkdir(parents=True)
    (run / "config.toml").write_text('experiment = "long"\nmetric = "loss"\nmode = "min"\n')
    every = steps // EVALUATIONS
    with (run / "logs" / "history.jsonl").open("w") as file:
        for step in range(1, steps + 1):
            level = (0.1 + 2 * math.exp(-8 * step / steps)) * (1 + 0.3 * math.sin(12.9898 * step))
            numbers = (1e-3 * (1 - step / steps), level, 0.7 * level, 0.3 * level, 1 / level, 0.01 * step)
            file.write(LINE % (step, step // every, *numbers))
            if step % every == 0:
                metrics = {"loss": level, "accuracy": 1 - level / 3}
                record = {"kind": "validation", "step": step, "metrics": metrics, "seconds": 0.01 * step}
                file.write(json.dumps(record) + "\n")


def browse(address: str) -> float:
    """Seconds until a headless browser has opened a page and said what is in it."""
    assert CHROMIUM is not None
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--dump-dom"]
        done = subprocess.run([*command, address], capture_output=True, text=True, check=True, timeout=120)
    assert address == "about:blank" or 'data-charts="drawn"' in done.stdout
    return time.perf_counter() - start


def measure(*, quick: bool) -> Section:
    """One table: of the command, and of the browser."""
    rounds, steps = (1, QUICK) if quick else (ROUNDS, STEPS)
    with tempfile.TemporaryDirectory(dir="build") as folder:
        run = Path(folder) / "long" / "001"
        show("report: writing a long run")
        write_run(run, steps)
        seconds, busy, peaks, drawn = [], [], [], []
        for number in range(rounds):
            show(f"report: round {number + 1}/{rounds}")
            start, before = time.perf_counter(), os.times()
            done = subprocess.run([sys.executable, __file__, str(run)], capture_output=True, text=True, check=True)
            seconds.append(time.perf_counter() - start)
            after = os.times()
            busy.append(sum(after[2:4]) - sum(before[2:4]))
            peaks.append(int(done.stdout))
            if CHROMIUM:
                drawn.append(browse((run / "report.html").absolute().as_uri()) - browse("about:blank"))
        show("")
        size = (run / "report.html").stat().st_size
    return section(steps, {"seconds": seconds, "processor_seconds": busy, "drawn_seconds": drawn}, max(peaks), size)


def section(steps: int, measured: dict[str, list[float]], peak: int, size: int) -> Section:
    """What was measured, beside what it should be."""
    spreads = {name: Spread.of(values) for name, values in measured.items() if values}
    spent, drawn, met = spreads["seconds"], spreads.get("drawn_seconds"), {True: "met", False: "MISSED"}
    rows = [
        ("loopwright report, s", spent.shown(2), f"below 5: {met[spent.median < 5]}"),
        ("of these on the processor, s", spreads["processor_seconds"].shown(2), ""),
        ("peak memory, MB", f"{peak / 1e6:.0f}", ""),
        ("report.html, MB", f"{size / 1e6:.2f}", f"below 3: {met[size < 3e6]}"),
    ]
    if drawn:
        told = f"below 2: {met[drawn.median < 2]}"
        rows.append(("opened and drawn in Chromium, s more than a blank page", drawn.shown(2), told))
    data: dict[str, Any] = {name: vars(spread) for name, spread in spreads.items()}
    title = f"report: of a run of {steps:,} steps, median (quartiles) of {len(measured['seconds'])} rounds"
    sizes = {"steps": steps, "peak_bytes": peak, "page_bytes": size}
    return Section(title, ("what", "", "target"), rows, (), data | sizes)


def main(run: Path) -> None:
    """Write the report of `run`, and print the peak memory."""
    from loopwright.report import write_report

    write_report(run)
    print(peak_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
