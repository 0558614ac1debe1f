"""What it costs to begin: imports, the first command, the first step; and memory beside the bare loop's.

`python benchmarks/startup.py mlp "bare PyTorch"` trains one contestant and prints its peak memory in bytes.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from timing import Section, Spread, Watch, interleaved, timed

ROUNDS = 7
SCRIPTS = Path(sys.executable).parent
COMMAND = str(SCRIPTS / "loopwright")
PYTHON, TORCH = "python, nothing imported", "python, import torch"
IMPORT, ENGINE, HELP = "python, import loopwright", "python, import loopwright.core", "loopwright --help"
FIRST, WHOLE = "loopwright train line --steps 5: to the first step", "… to its end, report written"


def call(*command: str) -> None:
    """Run a command to its end, silently."""
    subprocess.run(command, check=True, capture_output=True)


def first_step() -> tuple[float, float]:
    """Seconds from the command to the end of its first step, and to the command's end.

    Nothing is hooked: the directory logs/ got its time when the history was opened, and its clock started.
    """
    with tempfile.TemporaryDirectory(dir="build") as root:
        began = time.time()
        call(COMMAND, "train", "line", "--steps", "5", "--run-dir", root)
        ended = time.time()
        logs = Path(root) / "line" / "001" / "logs"
        first = json.loads((logs / "history.jsonl").read_text().partition("\n")[0])
        return logs.stat().st_mtime + first["seconds"] - began, ended - began


def measure(*, quick: bool) -> Section:
    """One table: milliseconds of each beginning."""
    whole: list[float] = []

    def to_first_step() -> float:
        first, total = first_step()
        whole.append(total)
        return first

    rounds = 1 if quick else ROUNDS
    runs = {
        PYTHON: lambda: timed(lambda: call(sys.executable, "-c", "")),
        IMPORT: lambda: timed(lambda: call(sys.executable, "-c", "import loopwright")),
        HELP: lambda: timed(lambda: call(COMMAND, "--help")),
        TORCH: lambda: timed(lambda: call(sys.executable, "-c", "import torch")),
        ENGINE: lambda: timed(lambda: call(sys.executable, "-c", "import loopwright.core")),
        FIRST: to_first_step,
    }
    seconds = interleaved(runs, rounds, "startup")
    seconds[WHOLE] = whole[-rounds:]
    milliseconds = {name: Spread.of(values).scaled(1e3) for name, values in seconds.items()}
    met = "met" if milliseconds[HELP].median < 300 else "MISSED"
    return Section(
        title=f"startup: wall time of processes of their own, median (quartiles) of {rounds} rounds",
        columns=("what", "ms", "target"),
        rows=[(name, ms.shown(0), f"below 300: {met}" if name == HELP else "") for name, ms in milliseconds.items()],
        notes=(),
        data={name: vars(spread) for name, spread in milliseconds.items()},
    )


def measure_memory(*, quick: bool) -> Section:
    """One table: peak memory of a process that trains, beside the bare loop's."""
    from loops import BASELINE, COMPLETE
    from loops import ENGINE as ENGINE_ROW
    from workloads import WORKLOADS

    rows: list[tuple[str, ...]] = []
    data: dict[str, Any] = {}
    for workload in ["mlp"] if quick else WORKLOADS:
        peaks = {name: peak(workload, name) for name in (BASELINE, ENGINE_ROW, COMPLETE)}
        data[workload] = peaks
        for name, most in peaks.items():
            over = f"{(most - peaks[BASELINE]) / 1e6:+.0f}" if name != BASELINE else ""
            rows.append((workload, name, f"{most / 1e6:.0f}", over))
    return Section(
        title="memory: peak resident set of a process that imports, trains and ends",
        columns=("workload", "loop", "MB", "over bare, MB"),
        rows=rows,
        notes=(),
        data=data,
    )


def peak(workload: str, contestant: str) -> int:
    """Peak memory in bytes of a process that trains `contestant`."""
    done = subprocess.run([sys.executable, __file__, workload, contestant], check=True, capture_output=True, text=True)
    return int(done.stdout)


def main(workload: str, contestant: str) -> None:
    """Train in this process, and print its peak memory."""
    import torch
    from loops import CONTESTANTS
    from workloads import WORKLOADS

    torch.set_num_threads(WORKLOADS[workload].threads)
    Path("build").mkdir(exist_ok=True)
    chosen = WORKLOADS[workload]
    CONTESTANTS[contestant][1](chosen, Watch(chosen.warmup, chosen.steps))
    print(peak_bytes())


def peak_bytes() -> int:
    """The peak resident set of this process."""
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage's would start with the parent's, which exec passes on
        return 1024 * int(status.read_text().partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
