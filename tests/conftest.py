"""One thread per test process: two processes of two threads each on two cores slow each other a hundredfold."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def in_the_repository():
    """What records name, tests/rerunning/own.py say, is found from here alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(Path(__file__).parents[1])
        yield
