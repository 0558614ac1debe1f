"""A trained model back in Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from torch import nn

from loopwright.core.state import State
from loopwright.journal import open_run
from loopwright.running.config import load_config
from loopwright.store import read_saved


def load_model(run: str | Path, checkpoint: str = "best", reference: str | None = None) -> nn.Module:
    """The model of a run with the weights of its `best` or `last` checkpoint, in eval mode on the CPU.

    Where the experiment keeps a moving average, that is what comes back. `reference` names one's own experiment again
    where its file does not lie below the current directory. Raises RunError and CheckpointError.

    >>> model = load_model("runs/digits-cnn/latest")  # doctest: +SKIP
    """
    directory = open_run(Path(run))
    experiment = replace(load_config(directory / "config.toml", reference), device="cpu")
    path = directory / "checkpoints" / f"{checkpoint}.pt"
    state = State.create(experiment)
    state.load_state_dict(read_saved(path)["state"], str(path))
    return state.average.module.eval()
