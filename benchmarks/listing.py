"""How fast many runs are listed and long histories are read, on run directories as training leaves them.

`python benchmarks/listing.py DIR 10000` writes that many plausible runs below DIR.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from startup import COMMAND, call, peak_bytes
from timing import Section, Spread, show, timed

RUNS, STEPS, HISTORIES, ROUNDS = 10_000, 1_000_000, 20, 3
EXPERIMENTS = ("digits-cnn", "digits-mlp", "mnist-cnn", "mnist-resnet", "points", "fsm-parity", "tabular", "line")
CONFIG = """\
format = 1
loopwright = "0.1.0"
experiment = "{experiment}"
epochs = {epochs}
steps = "none"
batch_size = 64
shards = 1
parallel = "replicate"
clip_norm = 1.0
precision = "fp32"
init = "default"
ema_decay = 0.0
compile = false
shuffle = true
seed = {seed}
metric = "accuracy"
mode = "max"
eval_every = "none"
save_every = "none"
keep = 2
patience = "none"
min_delta = 0.0
device = "cpu"
threads = 2
deterministic = false
tensorboard = false

[task]
type = "Digits"
network = "mlp"
width = 32
hidden = 256
dropout = 0.2
label_smoothing = 0.1
augment = true
split_seed = 42

[optimizer]
type = "AdamW"
lr = {lr}
betas = [
    0.9,
    0.999,
]
eps = 1e-08
weight_decay = 0.01

[schedule]
type = "Cosine"
warmup = 0.1
floor = 0.0
"""


def write_runs(root: Path, count: int) -> None:
    """`count` runs over the experiments: seeds, rates, a few that failed or were killed, tags on some."""
    drawn = random.Random(0)
    for number in range(count):
        experiment = EXPERIMENTS[number % len(EXPERIMENTS)]
        run = root / experiment / f"{number // len(EXPERIMENTS) + 1:03d}"
        write_run(run, drawn, experiment, number)
        if number % 500 == 0:
            show(f"listing: writing run {number:,} of {count:,}")
    for experiment in EXPERIMENTS:
        (root / experiment / "latest").symlink_to(f"{count // len(EXPERIMENTS):03d}")


def write_run(run: Path, drawn: random.Random, experiment: str, number: int) -> None:
    """One run with the files that a listing and a report look at; its history is short."""
    for folder in ("logs", "checkpoints", "plots", "artifacts"):
        (run / folder).mkdir(parents=True)
    seed, lr = number // len(EXPERIMENTS) % 5, 10 ** drawn.uniform(-4, -1)
    config = CONFIG.format(experiment=experiment, seed=seed, epochs=drawn.choice((5.0, 10.0, 20.0)), lr=lr)
    (run / "config.toml").write_text(config)
    packages = {f"package-{each}": f"{each}.{number % 7}.0" for each in range(120)}
    started = f"2026-{1 + number % 12:02d}-{1 + number % 28:02d}T{number % 24:02d}:{number % 60:02d}:00Z"
    env = {"seed": seed, "init_sha256": "9f2c" * 16, "data_sha256": "07ab" * 16, "parameters": 85002, "device": "cpu"}
    write_json(run / "env.json", {**env, "started": started, "packages": packages})
    not_checked = {f"for the reason {each}": [f"rule-{each}", f"rule-{each + 1}"] for each in range(12)}
    write_json(run / "findings.json", {"findings": [], "steps": 440, "not_checked": not_checked})
    with (run / "logs" / "history.jsonl").open("w") as file:
        file.writelines(history(60, drawn))
    accuracy = drawn.betavariate(20, 2)
    status = "failed" if number % 50 == 0 else "running" if number % 97 == 0 else "finished"
    write_json(run / "metrics.json", summary(experiment, status, accuracy))
    if number % 20 == 0:
        (run / "tags").write_text("baseline\n")
        (run / "notes.md").write_text("2026-11-26 a note\n")
    for name in ("report.html", "report.md", "code.diff"):
        (run / name).write_text("")


def summary(experiment: str, status: str, accuracy: float) -> dict[str, object]:
    """metrics.json of a run."""
    if status != "finished":
        return {"experiment": experiment, "status": status}
    reached = {"loss": 1 - accuracy, "accuracy": accuracy, "macro_f1": accuracy - 0.01, "ece": 0.1}
    both = {"last": reached, "best": reached}
    return {
        "experiment": experiment,
        "status": status,
        "stopped": "budget",
        "steps": 440,
        "epochs": 20.0,
        "parameters": 85002,
        "decided_by": {"metric": "accuracy", "mode": "max"},
        "best": {"step": 400, "value": accuracy},
        **dict.fromkeys(("train", "val", "test"), both),
        "claims": [{"metric": "test.best.accuracy", "at_least": 0.9, "reached": accuracy, "holds": accuracy >= 0.9}],
        "timing": {"train_seconds": 6.2, "steps_per_second": 71.0, "samples_per_second": 4541.9},
    }


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2))


def history(steps: int, drawn: random.Random) -> list[str]:
    """The lines of a history, as the journal writes them, an evaluation every thousandth of it."""
    lines, seconds = [], 0.0
    every = max(10, steps // 1000)
    for step in range(1, steps + 1):
        seconds += 0.001 + 0.0002 * drawn.random()
        loss = math.exp(-4 * step / steps) * math.exp(drawn.gauss(0, 0.25))
        rate = 1e-3 * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        record = {"kind": "step", "step": step, "epoch": (step - 1) // every, "lr": rate, "samples": 64}
        record |= {"loss": {"total": loss, "cross_entropy": loss}, "grad_norm": math.exp(drawn.gauss(0, 0.3))}
        lines.append(json.dumps({**record, "seconds": seconds}, separators=(",", ":")) + "\n")
        if step % every == 0:
            metrics = {"loss": loss, "accuracy": 1 - loss / 3}
            about = {"kind": "validation", "step": step, "epoch": step // every, "metrics": metrics, "seconds": seconds}
            lines.append(json.dumps(about, separators=(",", ":")) + "\n")
    return lines


def measure(*, quick: bool) -> Section:
    """One table: the listing of many runs, with and without its index, processes from their start to their end."""
    root, count, rounds = Path("build") / "listing", RUNS // 10 if quick else RUNS, 1 if quick else ROUNDS
    shutil.rmtree(root, ignore_errors=True)
    write_runs(root, count)
    show("listing")
    listing = (COMMAND, "runs", "--run-dir", str(root))
    chosen = ("--where", "val.accuracy > 0.9 and optimizer.lr < 1e-2", "--sort", "val.loss")
    runs: dict[str, tuple[Callable[[], object], float]] = {
        "loopwright runs, no index yet": (lambda: call(*listing), 10),
        "loopwright runs": (lambda: call(*listing), 1),
        "… --where … --sort val.loss": (lambda: call(*listing, *chosen), 1),
        "… --groups": (lambda: call(*listing, "--groups"), 1),
        "… --json (every run, all of it)": (lambda: call(*listing, "--json"), math.inf),
    }
    found: dict[str, Spread] = {}
    for name, (work, _) in runs.items():
        seconds = []
        for _ in range(rounds):
            if "no index" in name:
                shutil.rmtree(root / ".loopwright", ignore_errors=True)
            seconds.append(timed(work))
        found[name] = Spread.of(seconds)
    shutil.rmtree(root)
    return section(f"listing: {count:,} runs, seconds, median (quartiles) of {rounds}", runs, found)


def measure_histories(*, quick: bool) -> Section:
    """One table: reading a history of a million steps, and many such when they were read before."""
    from loopwright.report.history import History

    root, steps, many = Path("build") / "histories", STEPS // 10 if quick else STEPS, 5 if quick else HISTORIES
    shutil.rmtree(root, ignore_errors=True)
    lines = history(steps, random.Random(0))
    for number in range(1, many + 1):
        run = root / "long" / f"{number:03d}"
        (run / "logs").mkdir(parents=True)
        (run / "config.toml").write_text("")
        with (run / "logs" / "history.jsonl").open("w") as file:
            file.writelines(lines)
    size = (root / "long" / "001" / "logs" / "history.jsonl").stat().st_size
    del lines
    (root / "long" / "latest").symlink_to("001")
    paths = [root / "long" / f"{number:03d}" / "logs" / "history.jsonl" for number in range(1, many + 1)]

    def read_all() -> None:
        for path in paths:
            for curve in History.load(path, []).curves.values():
                curve.values.sum()

    runs: dict[str, tuple[Callable[[], object], float]] = {
        f"a history of {steps:,} steps, for the first time": (lambda: History.load(paths[0], []), 4),
        "the same again": (lambda: History.load(paths[0], []), math.inf),
        f"{many} such histories, read before, every number looked at": (read_all, 5),
    }
    found = {}
    for name, (work, _) in runs.items():
        if name.startswith(f"{many} "):
            for number, path in enumerate(paths):
                show(f"histories: first reading of {number + 1}/{many}")
                History.load(path, [])
        found[name] = Spread.of([timed(work) for _ in range(1 if "first" in name else ROUNDS)])
    notes = (f"{size / 1e6:.0f} MB each; peak memory of this process {peak_bytes() / 1e6:.0f} MB",)
    shutil.rmtree(root)
    return section(f"histories of {steps:,} steps, seconds", runs, found, notes)


def section(
    title: str,
    runs: dict[str, tuple[Callable[[], object], float]],
    found: dict[str, Spread],
    notes: tuple[str, ...] = (),
) -> Section:
    """The table of what was measured beside what is wanted."""
    rows = []
    for name, (_, limit) in runs.items():
        met = "met" if found[name].median < limit else "MISSED"
        rows.append((name, found[name].shown(2), f"below {limit:g}: {met}" if limit < math.inf else ""))
    return Section(title, ("what", "s", "target"), rows, notes, {name: vars(each) for name, each in found.items()})


if __name__ == "__main__":
    write_runs(Path(sys.argv[1]), int(sys.argv[2]))
