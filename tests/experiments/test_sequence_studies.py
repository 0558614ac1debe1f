from __future__ import annotations

import math
from dataclasses import replace

import pytest

from loopwright.core import SGD, Study
from loopwright.experiments.capacity import fsm_capacity
from loopwright.experiments.lengths import fsm_lengths
from loopwright.tasks.regular.settings import CorpusSettings
from tests.experiments.members import concluded

CORPUS = CorpusSettings(accepted=200, rejected=200, unseen_accepted=40, unseen_rejected=40)


def tiny(study: Study, name: str, **changes: object) -> Study:
    """Only the member called `name`, on fewer strings, for a few steps."""
    member = study.member(name)
    task = replace(member.task, corpus=CORPUS)
    shown = replace(member, **{"task": task, "steps": 4, "eval_every": 2, "device": "cpu", **changes})
    return replace(study, members=(shown,))


def test_a_member_of_the_capacity_study_trains_and_its_measures_reach_the_table(tmp_path):
    table = concluded(tiny(fsm_capacity(), "width04-seed2"), tmp_path)
    (row,) = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    assert (row["width"], row["seed"], row["epochs to 0.99"]) == (4, 2, "never")
    assert all(0 < row[name] < 1 for name in ("class accuracy", "state accuracy", "acceptance", "acceptance beyond"))


def test_a_capacity_member_that_diverges_never_learned(tmp_path):
    table = concluded(tiny(fsm_capacity(), "width04-seed2", optimizer=SGD(lr=1e60), clip_norm=0.0), tmp_path)
    assert table["rows"] == [[4, 2, "never", "nan", "nan", "nan", "nan"]]
    assert (tmp_path / "artifacts/capacity.svg").is_file()


@pytest.mark.parametrize("network", ["learned", "rotary", "random", "gru"])
def test_a_member_of_the_lengths_study_trains_and_its_measures_reach_the_table(tmp_path, network):
    table = concluded(tiny(fsm_lengths(), f"fsm-no-bb-{network}", batch_size=8), tmp_path)
    (row,) = table["rows"]
    assert row[:2] == ["fsm-no-bb", network]
    assert len(row) == len(table["columns"])
    assert all(0 < share < 1 and not math.isnan(share) for share in row[2:])
    assert (tmp_path / "artifacts/lengths.svg").is_file()
