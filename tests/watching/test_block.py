"""Watching a block of one's own code, and a notebook."""

from __future__ import annotations

import subprocess
import sys

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


CELLS = """
%load_ext loopwright
import torch
model = torch.nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(4):
    torch.nn.functional.cross_entropy(model(torch.randn(32, 4)), torch.randint(0, 2, (32,))).backward()
    optimizer.step()
print("trained")
%unload_ext loopwright
"""


def test_a_notebook_is_watched_from_the_extensions_loading_to_its_unloading(tmp_path):
    pytest.importorskip("IPython")
    (tmp_path / "cells.ipy").write_text(CELLS)
    command = [sys.executable, "-m", "IPython", "--quick", "--colors=nocolor", f"--ipython-dir={tmp_path}", "cells.ipy"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "trained" in done.stdout
    assert done.stderr.count("error: no-zero-grad") == 1, done.stderr
    assert done.stderr.count("most probable cause: no-zero-grad") == 1


def test_unknown_names_are_errors():
    with pytest.raises(AttributeError, match="nothing"):
        loopwright.nothing  # noqa: B018
