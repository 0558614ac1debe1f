from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from guarantees.models import CASES, Sequences, experiment
from guarantees.workers import CrashedError, differing, first_difference, same, together

WHOLE = ({"a": 1, "b": 2}, ["step 1", "step 2"])


@pytest.mark.parametrize(
    ("found", "first"),
    [
        (WHOLE, ""),
        (({"a": 1, "b": 3}, WHOLE[1]), "b"),
        (({"a": 1}, WHOLE[1]), "b"),
        (({**WHOLE[0], "c": 3}, WHOLE[1]), "c"),
        ((WHOLE[0], ["step 1"]), "None, not step 2"),
        ((WHOLE[0], [*WHOLE[1], "step 3"]), "step 3, not None"),
    ],
)
def test_a_leaf_or_a_line_that_is_missing_added_or_other_is_a_difference(found, first):
    assert first_difference(found, WHOLE) == first


def test_a_case_that_differs_on_one_of_its_schedules_says_so():
    assert same([None, None]) == "same bits"
    assert same([None, "it differs"]) == "1 DIFFER"


def test_workers_of_whom_one_crashes_are_an_error(tmp_path):
    with pytest.raises(CrashedError, match=r"the workers ended with \[8\]"):
        together([lambda workers: [][0]], tmp_path / "meeting")


@dataclass(frozen=True)
class Crashing(Sequences):
    """Workers die in their first step."""

    def loss(self, model: Any, batch: Any) -> Mapping[str, Any]:
        raise ZeroDivisionError


def test_a_crash_is_a_violation_and_the_campaign_goes_on(monkeypatch):
    monkeypatch.setitem(CASES, "crashing", lambda: replace(experiment("mlp"), task=Crashing()))
    assert "the workers ended with [8" in (differing("crashing", 0, WHOLE) or "")
