"""Right programs that were written to be accused, by somebody who had read the rules: none of them is."""

from __future__ import annotations

import runpy
import warnings
from pathlib import Path

import pytest

from loopwright.doctor.doctor import Doctor

ATTACKED = Path(__file__).parents[2] / "doctor_score" / "attacked"
ACCUSED = {
    "intersample": "its samples do depend on each other, and that is what it is for",
}
"""Those that are accused all the same, and why nobody has found what to tell them by."""


@pytest.mark.parametrize("name", sorted(path.stem for path in ATTACKED.glob("*.py")))
def test_a_right_program_is_left_alone(name, capsys):
    path = ATTACKED / f"{name}.py"
    if "transformers" in path.read_text(encoding="utf-8"):
        pytest.importorskip("transformers")
    doctor = Doctor()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about what the programs do on purpose
        with doctor:
            runpy.run_path(str(path), run_name="__main__")
    assert doctor.failures == {}
    found = [(finding.cause, finding.evidence) for finding in doctor.ranked if finding.serious]
    assert bool(found) == (name in ACCUSED), found
