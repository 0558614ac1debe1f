"""Projects made for tests, and commands run inside of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loopwright.cli.main import main
from loopwright.scaffold import Origin, make_project, named, render

SOURCE = Path(__file__).parents[2] / "src"


def make(directory: Path, experiment: str) -> Path:
    """A project made from an experiment of ours."""
    make_project(directory, render(named(experiment), directory.name), Origin(experiment, None, directory.name))
    return directory


def inside(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """What `python …` says in a project."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *command], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


def passed_in(project: Path, *arguments: str) -> str:
    """The last line of the project's own tests, all of which must pass."""
    done = inside(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().splitlines()[-1]


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The message of a command that must fail with exit code 2, in one or two lines."""
    assert main(list(arguments)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) <= 2
    return said.err
