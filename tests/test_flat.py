"""The engine computes what a plain PyTorch loop computes."""

from __future__ import annotations

import importlib.util
import inspect
from dataclasses import replace
from pathlib import Path

import torch

from loopwright.core import State, train
from loopwright.experiments.digits import digits_mlp
from loopwright.protocols import NoJournal, NoStore

FLAT = Path(__file__).parent.parent / "examples" / "flat.py"


def test_the_flat_example_gives_the_bits_of_the_engine():
    spec = importlib.util.spec_from_file_location("flat", FLAT)
    flat = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(flat)
    base = digits_mlp()
    experiment = replace(base, task=replace(base.task, augment=False), epochs=flat.EPOCHS, device="cpu", threads=1)
    state = State.create(experiment)
    train(experiment, state, journal=NoJournal(), store=NoStore())
    ours, theirs = list(state.model.parameters()), list(flat.train().parameters())
    assert len(ours) == len(theirs) == 6
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_the_flat_example_stays_under_80_lines():
    assert len(inspect.cleandoc(FLAT.read_text()).splitlines()) < 80
