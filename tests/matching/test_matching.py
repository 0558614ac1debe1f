from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from loopwright.bits import leaves
from loopwright.errors import CheckpointError
from loopwright.lines import to_line
from loopwright.matching import compare_runs, compare_states
from loopwright.store import write_checkpoint
from tests.toys import run, toy

HISTORY: list[dict[str, Any]] = [
    {"kind": "step", "step": 1, "epoch": 0, "loss": {"total": 0.7}, "seconds": 0.1},
    {"kind": "step", "step": 2, "epoch": 0, "loss": {"total": 0.6}, "seconds": 0.2},
    {"kind": "validation", "step": 2, "epoch": 0, "metrics": {"accuracy": 0.5}, "seconds": 0.3},
]
METRICS = {"status": "finished", "val": {"last": {"accuracy": 0.5}}, "timing": {"train_seconds": 1.0}, "claims": []}


@pytest.fixture(scope="module")
def state() -> dict[str, Any]:
    trained, _, _ = run(toy(ema_decay=0.9, steps=3))
    return trained.state_dict()


@pytest.fixture
def make(tmp_path, state) -> Callable[..., Path]:
    """Writes a run directory; what is given takes the place of what all others have."""

    def written(name: str, state=state, best=state, history=HISTORY, metrics=METRICS) -> Path:
        run = tmp_path / name
        for directory in ("checkpoints", "logs"):
            (run / directory).mkdir(parents=True)
        write_checkpoint(run / "checkpoints/last.pt", {"step": 3, "state": state})
        if best:
            write_checkpoint(run / "checkpoints/best.pt", {"step": 2, "state": best})
        (run / "logs/history.jsonl").write_text("".join(to_line(record) + "\n" for record in history))
        (run / "metrics.json").write_text(json.dumps(metrics))
        return run

    return written


def changed(history: list[dict[str, Any]], index: int, **values: Any) -> list[dict[str, Any]]:
    return [{**record, **values} if number == index else record for number, record in enumerate(history)]


def test_equal_runs_are_the_same_and_have_a_digest_of_their_weights(make, state):
    found = compare_runs(make("a"), make("b"))
    assert (found.same, found.first) == (True, "")
    assert len(found.digest) == 8
    other = copy.deepcopy(state)
    other["model"]["0.weight"][0, 0] += 1
    assert compare_states(other, other).digest != found.digest
    moved = copy.deepcopy(state)
    moved["optimizer"]["state"][0]["exp_avg"] += 1
    assert compare_states(moved, moved).digest == found.digest


def test_every_leaf_of_a_state_counts(state):
    names = list(leaves(state))
    assert {"model.0.weight", "optimizer.state.0.exp_avg", "average.n_averaged", "step", "progress.best"} <= set(names)
    for name in names:
        other = altered(state, name.split("."))
        found = compare_states(state, other)
        assert not found.same, name
        assert found.first.startswith(f"{name}: "), found.first


def altered(value: Any, path: list[str]) -> Any:
    """`value` with the leaf at `path` changed as little as can be: one bit of a tensor's last byte."""
    if isinstance(value, Tensor):
        flipped = value.clone().contiguous()
        flipped.reshape(-1).view(torch.uint8)[-1:] ^= 1
        return flipped
    if not path:
        return "altered"
    if isinstance(value, list | tuple):
        return [altered(entry, path[1:]) if str(key) == path[0] else entry for key, entry in enumerate(value)]
    for key in value:
        for length in range(1, len(path) + 1):
            if str(key) == ".".join(path[:length]):
                return {**value, key: altered(value[key], path[length:])}
    raise AssertionError(path)


def test_a_difference_of_a_tensor_says_in_how_many_elements_and_by_how_much():
    a, b = torch.zeros(2, 3), torch.zeros(2, 3)
    b[0, 1], b[1, 2] = 0.25, -0.5
    found = compare_states({"model": {"w": a}, "step": 1}, {"model": {"w": b}, "step": 2})
    assert found.first == (
        "model.w: 2 of 6 elements, by up to 0.5 (0.5 of the largest), first at [0, 1]; "
        "1 of the state's other leaves differ too"
    )


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (torch.tensor([0.0]), torch.tensor([-0.0]), "1 of 1 elements, by up to 0 (0 of the largest), first at [0]"),
        (torch.zeros(2), torch.zeros(2, dtype=torch.float64), "torch.float32 (2,) in A, torch.float64 (2,) in B"),
        (torch.zeros(2), torch.zeros(1, 2), "torch.float32 (2,) in A, torch.float32 (1, 2) in B"),
        (
            torch.zeros(1),
            torch.full((1,), torch.nan),
            "1 of 1 elements, by up to nan (nan of the largest), first at [0]",
        ),
        (torch.tensor(True), torch.tensor(False), "1 of 1 elements, by up to 1 (1 of the largest), first at []"),
        (1, 1.0, "1 and 1.0"),
        (0.0, -0.0, "0.0 and -0.0"),
    ],
)
def test_what_differs_in_a_bit_differs(a, b, said):
    assert compare_states({"x": a}, {"x": b}).first == f"x: {said}"


@pytest.mark.parametrize(
    "value",
    [
        torch.tensor([torch.nan]),
        float("nan"),
        torch.zeros(0),
        None,
        torch.ones(1, dtype=torch.complex64),
        torch.ones(3).bfloat16(),
    ],
)
def test_everything_equals_itself(value):
    assert compare_states({"x": value}, {"x": copy.deepcopy(value)}).same


def test_a_leaf_that_one_state_lacks_is_a_difference():
    assert compare_states({"x": 1, "y": torch.zeros(1)}, {"x": 1}).first == "y: only in A"
    assert compare_states({"x": 1}, {"x": 1, "y": 2}).first == "y: only in B"


def test_clock_and_events_and_claims_do_not_count(make):
    resumed = {"kind": "event", "step": 1, "event": "resumed"}
    history = [HISTORY[0], resumed, *({**record, "seconds": 9.0} for record in HISTORY[1:])]
    metrics = {**METRICS, "timing": {"train_seconds": 2.0}, "claims": [{"holds": False}], "claims_dropped": "steps"}
    assert compare_runs(make("a"), make("b", history=history, metrics=metrics)).same


def test_the_first_difference_in_time_is_told_with_both_values(make):
    later = changed(HISTORY, 1, loss={"total": 0.61})
    both = changed(later, 2, metrics={"accuracy": 0.75})
    assert compare_runs(make("a"), make("b", history=both)).first == "history, step 2, loss.total: 0.6 and 0.61"
    only = changed(HISTORY, 2, metrics={"accuracy": 0.75})
    said = compare_runs(make("c"), make("d", history=only)).first
    assert said == "history, validation at step 2, metrics.accuracy: 0.5 and 0.75"


def test_a_record_that_is_missing_or_written_twice_is_a_difference(make):
    whole = make("whole")
    short = compare_runs(whole, make("short", history=HISTORY[:2])).first
    assert short == "history, validation at step 2: only one of the runs has it"
    long = compare_runs(make("one", history=HISTORY[:2]), whole).first
    assert long == short
    again = compare_runs(whole, make("twice", history=[HISTORY[0], *HISTORY])).first
    assert again == "history, step 1: B has two records of it, for after a resume it was another one"


def test_of_a_step_that_was_computed_again_with_another_result_the_later_record_counts(make):
    again = [
        *HISTORY[:2],
        {"kind": "event", "step": 2, "event": "differs"},
        *changed(HISTORY, 1, loss={"total": 9.0})[1:],
    ]
    assert compare_runs(make("a"), make("b", history=again)).first == "history, step 2, loss.total: 0.6 and 9.0"


def test_a_difference_of_the_state_or_of_the_metrics_alone_is_found(make, state):
    whole = make("whole")
    other = compare_runs(whole, make("state", state={**state, "step": 4}))
    assert (other.same, other.first) == (False, "last.pt, step: 3 and 4")
    metrics = {**METRICS, "val": {"last": {"accuracy": 0.51}}}
    said = compare_runs(whole, make("metrics", metrics=metrics)).first
    assert said == "metrics.json.val.last.accuracy: 0.5 and 0.51"


def test_a_run_without_a_checkpoint_cannot_be_compared(make):
    whole, empty = make("whole"), make("empty")
    (empty / "checkpoints/last.pt").unlink()
    with pytest.raises(CheckpointError, match=r"last\.pt"):
        compare_runs(whole, empty)


def test_a_result_that_a_resume_has_changed_and_changed_back_is_named(make):
    """The journal writes an event and the record of now where it is another one than before."""
    other = changed(HISTORY, 1, loss={"total": 9.0})
    event = {"kind": "event", "step": 2, "event": "differs", "recorded": other[1]}
    found = compare_runs(make("a"), make("b", history=[*other[:2], event, *HISTORY[1:]]))
    assert found.first == "history, step 2: B has two records of it, for after a resume it was another one"


def test_records_that_each_run_lacks_elsewhere_are_a_difference(make):
    one, other = [HISTORY[0], HISTORY[2]], HISTORY[1:]
    assert compare_runs(make("a", history=one), make("b", history=other)).first == (
        "history, step 1: only one of the runs has it"
    )


def test_the_best_weights_count(make, state):
    whole = make("whole")
    assert compare_runs(whole, make("other", best={**state, "step": 9})).first == "best.pt, step: 3 and 9"
    assert compare_runs(make("none", best=None), whole).first == "best.pt: only in B"
    assert compare_runs(make("a", best=None), make("b", best=None)).same
