from __future__ import annotations

from dataclasses import replace

from loopwright.core import SGD, Constant
from loopwright.experiments.init import SEEDS, STRATEGIES, digits_init
from loopwright.studies.init import Start, ranking
from tests.experiments.members import concluded


def start(strategy: str, seed: int, val_loss: float) -> Start:
    return Start(strategy, seed, "finished", (2.3,), val_loss, val_accuracy=0.9, test_accuracy=0.9)


def tiny(*names: str, **changes: object):
    """Only the members called `names`, with a few steps each."""
    study = digits_init()
    members = [replace(study.member(name), **{"steps": 6, "eval_every": 6, **changes}) for name in names]
    return replace(study, members=tuple(members))


def cells(table: dict) -> list[dict]:
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def test_members_differ_in_strategy_and_seed_alone():
    members = digits_init().members
    assert {(member.init, member.seed) for member in members} == {(way, seed) for way in STRATEGIES for seed in SEEDS}
    assert len({member.name for member in members}) == len(members) == 12
    assert len({replace(member, name="", init="default", seed=0) for member in members}) == 1


def test_a_table_and_a_picture_conclude_the_study(tmp_path):
    names = [f"{strategy}-seed{seed}" for strategy in ("naive", "he") for seed in SEEDS]
    table = concluded(tiny(*names), tmp_path)
    assert table["name"] == "initialization.json"
    rows = cells(table)
    assert [(row["strategy"], row["seed"]) for row in rows] == [("naive", 0), ("naive", 1), ("he", 0), ("he", 1)]
    # weights of variance 1 make the first outputs hundreds of times too large
    assert all(row["loss at step 1"] > 100 for row in rows[:2])
    assert all(row["loss at step 1"] < 4 for row in rows[2:])
    assert all(0 < row["test accuracy"] <= 1 for row in rows)
    assert table["note"].startswith("By mean validation loss at the end: he ")
    assert "the ranking is the same: 1 of 1 pairs" in table["note"]
    assert (tmp_path / "artifacts/initialization.svg").read_text().startswith("<?xml")


def test_a_strategy_that_diverges_is_a_result(tmp_path):
    diverging = tiny("naive-seed0", optimizer=SGD(lr=1e4), schedule=Constant(), clip_norm=0.0)
    study = replace(diverging, members=diverging.members + tiny("he-seed0").members)
    failed, fine = cells(concluded(study, tmp_path))
    assert (failed["strategy"], failed["status"], failed["val loss at the end"]) == ("naive", "failed", "nan")
    assert failed["loss at step 1"] > 100
    assert (fine["strategy"], fine["status"]) == ("he", "finished")


def test_the_ranking_says_on_how_many_pairs_the_seeds_agree():
    starts = [start("he", 0, 0.1), start("he", 1, 0.3), start("xavier", 0, 0.2), start("xavier", 1, 0.2)]
    assert "the ranking is not the same: 0 of 1 pairs" in ranking(starts)
    starts += [start("naive", 0, 30.0), start("naive", 1, 20.0)]
    assert "By mean validation loss at the end: he 0.2, xavier 0.2, naive 25." in ranking(starts)
    assert "2 of 3 pairs" in ranking(starts)


def test_what_diverged_ranks_last():
    starts = [
        start("naive", 0, float("nan")),
        start("naive", 1, float("nan")),
        start("he", 0, 0.1),
        start("he", 1, 0.1),
    ]
    assert "he 0.1, naive inf. Over the seeds 0, 1 the ranking is the same: 1 of 1 pairs" in ranking(starts)
