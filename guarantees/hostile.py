"""Hostile run directories, each given to every entry that reads it, in a child with a limit of memory and of time.

None may run code, touch a file outside the run, take more than the limits, or end in anything but a result or an error
of ours in one or two lines.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import matplotlib.figure  # noqa: F401 - the children start with all that a report needs
import torch

from guarantees.corpus import corpus
from guarantees.forks import fork, wait
from guarantees.section import Scale, Section, shown
from guarantees.small import experiment, unfinished_run
from guarantees.spoiling import Case, Place, unchanged
from guarantees.victim import idle_program
from loopwright.cli.main import main
from loopwright.core import build_optimizer
from loopwright.errors import LoopwrightError
from loopwright.running import load_model
from loopwright.running.config import load_config
from loopwright.store import load_checkpoint, newest_good, read_checkpoint, read_saved
from tests.store.sealing import archive, seal

MEMORY_BYTES = 2 << 30
SECONDS = 60
MOST_FORKS = 4
"""Each may take `MEMORY_BYTES`."""


def restore(path: Path) -> None:
    """What somebody with a loop of their own does: restore model and optimizer, and make a step."""
    model = experiment().task.model()
    optimizer = build_optimizer(model, lr=0.1)
    with suppress(LoopwrightError):
        load_checkpoint(path, model, optimizer)
    state = read_saved(path)["state"]
    numbers = {"epoch": 0, "step": 0, "metrics": {}, "seed": 0, "extra": {}, "format": 1}
    other = Path("own.pt")
    seal(other, archive({"model": state.get("model"), "optimizer": state.get("optimizer"), **numbers}))
    load_checkpoint(other, model, optimizer)
    model(torch.ones(3, 2)).sum().backward()
    with suppress(Exception):  # a loop of one's own may fail as it likes, but not write where nothing is its own
        optimizer.step()


ENTRIES: dict[str, Callable[[Path], object]] = {
    "newest_good": lambda run: newest_good(run / "checkpoints"),
    "read_checkpoint": lambda run: read_checkpoint(run / "checkpoints/last.pt"),
    "load_checkpoint": lambda run: restore(run / "checkpoints/last.pt"),
    "load_config": lambda run: load_config(run / "config.toml"),
    "load_model": lambda run: load_model(run, "last"),
    "evaluate": lambda run: main(["evaluate", str(run), "--checkpoint", "last"]),
    "train --config": lambda run: main(["train", "--config", str(run / "config.toml"), "--steps", "1", "--quiet"]),
    "runs": lambda run: main(["runs", "--run-dir", str(run.parents[1])]),
    "report": lambda run: main(["report", str(run)]),
    "resume": lambda run: main(["resume", str(run), "--quiet"]),
}
WEIGHTS = ("newest_good", "read_checkpoint", "load_checkpoint", "load_model", "evaluate", "resume")
READ_BY = {
    "config.toml": ("load_config", "load_model", "evaluate", "train --config", "runs", "report", "resume"),
    "env.json": ("resume", "report"),
    "findings.json": ("report",),
    "history.jsonl": ("report", "resume"),
    "link out of the run": tuple(entry for entry in ENTRIES if entry != "train --config"),
    "metrics.json": ("evaluate", "runs", "report", "resume"),
    "not a plain file": tuple(entry for entry in ENTRIES if entry != "train --config"),
    "per-class.json": ("report", "resume"),
    "study": ("load_config", "load_model", "evaluate", "report", "resume"),
}
"""Which entries read what; checkpoints are read by those of WEIGHTS."""


@dataclass(frozen=True)
class Trial:
    """What became of one input at one entry; `violation` is empty where nothing was amiss."""

    kind: str
    name: str
    entry: str
    refused: bool
    grown_bytes: int
    seconds: float
    violation: str

    def told(self) -> str:
        """One line, for the document."""
        return f"{self.kind}, {self.name}, {self.entry}: {self.violation}"


def in_child(run: Path, entry: str, out: Path, err: Path) -> int:
    """What a child does: the entry, within the limits; its exit code is the command line's."""
    os.setsid()
    os.chdir(run.parents[2])
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", errors="replace") for number in (1, 2))  # noqa: SIM115
    # A resume makes its report in a process of its own, which takes seconds; reports have their own entry.
    sys.executable = idle_program()
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY_BYTES, size + MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        found = ENTRIES[entry](run)
    except LoopwrightError as error:
        print(f"loopwright: {error}", file=sys.stderr)
        return error.exit_code
    return found if isinstance(found, int) else 0


def given_to(place: Place, case: Case, entry: str) -> Trial:
    """Give a spoiled run to one entry."""
    out, err = place.outside.parent / "out", place.outside.parent / "err"
    before, start, own = unchanged(place), time.monotonic(), resident_bytes()
    child = fork(partial(in_child, place.run, entry, out, err))
    ended, status, usage = os.wait4(child, os.WNOHANG)
    while not ended and time.monotonic() < start + SECONDS:
        time.sleep(0.002)
        ended, status, usage = os.wait4(child, os.WNOHANG)
    seconds = time.monotonic() - start
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if not ended:
        _, status, usage = os.wait4(child, 0)
    code, grown = os.waitstatus_to_exitcode(status), max(0, usage.ru_maxrss * 1024 - own)
    text = err.read_text(errors="replace") if err.exists() else ""
    found = "" if ended else f"did not end within {SECONDS} s"
    found = found or amiss(code, text, out.read_text(errors="replace"), grown) or touched(place, before)
    return Trial(case.kind, case.name, entry, code in (2, 3), grown, seconds, found)


def resident_bytes() -> int:
    """The memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def touched(place: Place, before: dict[str, tuple[int, int, bytes]]) -> str:
    """What happened outside the run, if anything did."""
    after = unchanged(place)
    if str(place.outside / "ran") in after:
        return "CODE WAS RUN"
    changed = sorted({path for path in before | after if before.get(path) != after.get(path)})
    return f"touched {changed[0]}" if changed else ""


def amiss(code: int, err: str, out: str, grown: int) -> str:
    """What is wrong with how an entry ended, if anything is."""
    if "Traceback" in err:
        return f"a foreign error: {err.strip().splitlines()[-1][:200]}"
    if code not in (0, 1, 2, 3):
        return f"ended with {code}"
    if grown > MEMORY_BYTES // 2:
        return f"took {grown / 1e9:.1f} GB"
    if any(ord(letter) < 32 and letter not in "\n\r\t" for letter in err + out):
        return "sent control characters to the terminal"
    message = err[err.rfind("loopwright: ") :].strip()
    lines = [line for line in message.splitlines() if not line.startswith("  ")]
    if code in (2, 3) and not ("loopwright: " in err and len(lines) <= 2 and len(message) < 8000):
        return f"said {len(lines)} lines, {len(message)} characters: {message[:100]}"
    return ""


Job = tuple[Case, tuple[str, ...]]


def trials(jobs: Sequence[Job]) -> list[Trial]:
    """Every case at its entries, dealt out to as many forks as there are processors."""
    forks = min(MOST_FORKS, os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        good = unfinished_run(root / "good")
        files = [root / f"trials {number}" for number in range(forks)]
        shares = [jobs[number::forks] for number in range(forks)]
        codes = wait(*[fork(partial(work_off, *task, good)) for task in zip(shares, files, strict=True)])
        if any(codes):
            raise RuntimeError(f"forks that try hostile inputs ended with {codes}")
        return [Trial(**json.loads(line)) for file in files for line in file.read_text().splitlines()]


def work_off(jobs: Sequence[Job], file: Path, good: Path) -> None:
    """What one fork does: a line of JSON for each trial of its share of the cases."""
    with open(file, "w", encoding="utf-8") as told:
        for case, entries in shown(jobs, "hostile inputs"):
            for trial in of_case(file.with_suffix(".case"), good, case, entries):
                told.write(json.dumps(asdict(trial)) + "\n")


def of_case(root: Path, good: Path, case: Case, entries: tuple[str, ...]) -> Iterator[Trial]:
    """One case, on a copy of the good run; entries that write come last."""
    place = Place(root / "runs/points/001", root / "outside")
    shutil.copytree(good, place.run, symlinks=True)
    shutil.copytree(good / "checkpoints", place.outside / "directory")
    (place.outside / "keep").write_text("the user's own\n")
    case.spoil(place)
    for entry in entries:
        yield given_to(place, case, entry)
    shutil.rmtree(root)


def measure(scale: Scale) -> Section:
    """The corpus against every entry; on the quick scale a part of it, each case at one entry."""
    torch.set_num_threads(1)
    jobs = [(case, READ_BY.get(case.kind, WEIGHTS)) for case in corpus()]
    if scale is Scale.QUICK:
        draw, quick = random.Random(0), ("forged tensor", "link out of the run", "odd archive", "pickle that runs code")
        few = draw.sample([job for job in jobs if job[0].kind in quick], 25)
        jobs = [(case, (draw.choice(entries),)) for case, entries in few]
    return section(trials(jobs))


def section(found: Sequence[Trial]) -> Section:
    """The table: a row for each kind of input."""
    kinds: dict[str, list[Trial]] = defaultdict(list)
    for trial in found:
        kinds[trial.kind].append(trial)
    rows = []
    for kind, those in sorted(kinds.items()):
        names, counted = {one.name for one in those}, Counter(one.refused for one in those)
        most, longest = max(one.grown_bytes for one in those) / 1e6, max(one.seconds for one in those)
        wrong = sum(bool(one.violation) for one in those)
        rows.append((kind, len(names), len(those), counted[True], counted[False], f"{most:,.0f}", longest, wrong))
    return Section(
        "Hostile files",
        ("input", "cases", "given to entries", "refused", "went on", "most memory (MB)", "longest (s)", "violations"),
        tuple(rows),
        (
            "Every input is made by code and given to each entry that reads it: "
            f"{', '.join(ENTRIES)}. Checkpoints have the right digest, so that they are parsed. `refused`: an error of "
            "ours, exit code 2 or 3, one or two lines. `went on`: what is hostile is passed over, or harms nothing. "
            "A violation is code that ran, a file outside the run that was touched, a process that was killed, more "
            f"than {MEMORY_BYTES >> 31} GB of memory, more than {SECONDS} s, a foreign error, or control characters on "
            "the terminal.",
        ),
        tuple(trial.told() for trial in found if trial.violation),
    )
