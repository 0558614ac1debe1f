"""Every rule names its cause in a tiny program, and is silent on the healthy twin."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch

from loopwright.doctor import rules
from loopwright.doctor.causes import CAUSES
from loopwright.doctor.doctor import Doctor
from loopwright.doctor.rule import NEEDS, RULES
from tests.doctor.programs import PROGRAMS as USUAL
from tests.doctor.rarer import RARER

PROGRAMS = {**USUAL, **RARER}


def watched(program, broken: bool) -> Doctor:
    torch.manual_seed(0)
    doctor = Doctor()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch itself warns of a scheduler that is stepped too early
        with doctor:
            program(broken)
    assert doctor.failures == {}
    return doctor


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_the_mistake_is_named_first(name):
    program, cause = PROGRAMS[name]
    serious = [finding for finding in watched(program, True).ranked if finding.severity != "info"]
    assert [finding.cause for finding in serious[:1]] == [cause], serious


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_the_healthy_twin_is_left_alone(name):
    program, _ = PROGRAMS[name]
    assert [finding for finding in watched(program, False).findings if finding.severity != "info"] == []


def test_rules_name_known_causes_and_known_needs():
    for rule in RULES:
        assert set(rule.causes) <= set(CAUSES), rule.look.__name__
        assert rule.needs in NEEDS


def test_what_was_not_checked_is_said():
    doctor = watched(PROGRAMS["no-zero-grad"][0], False)
    unchecked = doctor.unchecked()
    assert "partial-load" in unchecked["no weights were loaded"]
    assert "metric-not-reset" in unchecked["not visible from outside"]
    assert not any("no-zero-grad" in causes for causes in unchecked.values())
    named = {cause for causes in unchecked.values() for cause in causes}
    covered = {cause for rule in RULES for cause in rule.causes} - named
    assert named | covered == set(CAUSES)


def test_every_file_of_rules_is_asked():
    files = {path.stem for path in Path(rules.__file__).parent.glob("*.py")} - {"__init__"}
    assert set(rules.__all__) == files
