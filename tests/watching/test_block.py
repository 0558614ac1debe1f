"""Watching a block of one's own code, and a notebook."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import loopwright


def train(model: nn.Module, optimizer: torch.optim.Optimizer, *, clear: bool) -> None:
    x, y = torch.randn(32, 4), torch.randint(0, 2, (32,))
    for _ in range(4):
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
        if clear:
            optimizer.zero_grad()


def test_a_block_is_watched_with_optimizers_that_were_there_before(capsys, tmp_path):
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with loopwright.watch(tmp_path / "found") as doctor:
        train(model, optimizer, clear=False)
    assert [finding.cause for finding in doctor.ranked] == ["no-zero-grad"]
    assert "no-zero-grad" in capsys.readouterr().err
    assert (tmp_path / "found" / "findings.html").is_file()


def test_blocks_follow_each_other(capsys):
    for clear in (True, False):
        model = nn.Linear(4, 2)
        with loopwright.watch() as doctor:
            train(model, torch.optim.SGD(model.parameters(), lr=0.1), clear=clear)
        assert bool(doctor.findings) == (not clear)


def test_a_notebook_is_watched_from_the_extensions_loading_to_its_unloading(capsys):
    class Shell:
        loopwright: object = None

    shell = Shell()
    loopwright.load_ipython_extension(shell)
    model = nn.Linear(4, 2)
    train(model, torch.optim.SGD(model.parameters(), lr=0.1), clear=False)
    assert "no-zero-grad" in capsys.readouterr().err
    loopwright.unload_ipython_extension(shell)
    assert "most probable cause" in capsys.readouterr().err


def test_unknown_names_are_errors():
    with pytest.raises(AttributeError, match="nothing"):
        loopwright.nothing  # noqa: B018
