"""`loopwright evaluate RUN`: the metrics of a checkpoint, as JSON on stdout."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from loopwright.cli.parsing import parser
from loopwright.core.arithmetic import arithmetic
from loopwright.core.evaluate import evaluate
from loopwright.core.state import State
from loopwright.errors import CheckpointError, DataError, RunError
from loopwright.journal import open_run
from loopwright.lines import finite
from loopwright.protocols import SPLITS
from loopwright.running.config import load_config
from loopwright.store import read_saved


def run(arguments: list[str]) -> int:
    """Evaluate one checkpoint of a run on one split."""
    options = parser("evaluate", "Metrics of a run's checkpoint on a split, as JSON.")
    options.add_argument("run", type=Path, help="a run directory, runs/digits-cnn/latest say")
    options.add_argument("--checkpoint", choices=("best", "last"), default="best", help="which weights (best)")
    options.add_argument("--split", choices=SPLITS, default="test", help="which split (test)")
    options.add_argument("--device", help="where to evaluate (where it was trained)")
    options.add_argument("--experiment", help="names the experiment again where it is your own")
    parsed = options.parse_all(arguments)
    directory = open_run(parsed.run)
    recorded = load_config(directory / "config.toml", parsed.experiment)
    experiment = replace(recorded, device=parsed.device or recorded.device).resolved().check()
    path = directory / "checkpoints" / f"{parsed.checkpoint}.pt"
    if not path.exists():
        raise RunError(
            f"{path}: not there, the run stopped before; try --checkpoint last, or "
            f"loopwright resume {shlex.quote(str(directory))}"
        )
    if experiment.task.data.size(parsed.split) == 0:
        raise DataError(f"split {parsed.split!r}: {experiment.name} has none; choose another --split")
    with arithmetic(experiment):
        state = State.create(experiment)
        state.load_state_dict(saved(path)["state"], str(path))
        metrics = evaluate(experiment.task, state.average.module, parsed.split, experiment.seed)
    about = {
        "run": str(directory),
        "checkpoint": parsed.checkpoint,
        "step": state.step,
        "split": parsed.split,
    }
    print(json.dumps(finite({**about, "metrics": metrics}), indent=2))
    return 0


def saved(path: Path) -> dict[str, Any]:
    """What a checkpoint holds. Raises CheckpointError, which names the other one, where it is not good."""
    try:
        return read_saved(path)
    except CheckpointError as error:
        other = {"last": "best", "best": "last"}[path.stem]
        raise CheckpointError(f"{error}; try --checkpoint {other}") from error
