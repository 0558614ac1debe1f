"""Reports on runs that did not go as they should have, and on files that nobody would write on purpose."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from fake_run import append_history, step_record, write_json, write_run
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.report import write_report

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["nan", "inf"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = [
    "status",
    "steps",
    "epochs",
    "parameters",
    "best",
    "decided_by",
    "train",
    "val",
    "test",
    "claims",
    "members",
    "stopped",
    "timing",
    "reason",
    "claims_dropped",
]
KINDS = st.sampled_from(["step", "validation", "epoch", "event", "other"])
KEYS = ("step", "loss", "lr", "metrics", "seconds", "samples", "epoch", "event")
LINES = st.fixed_dictionaries({"kind": KINDS}, optional=dict.fromkeys(KEYS, ANYTHING))


def test_a_run_that_died_at_its_first_step_has_a_report(tmp_path: Path) -> None:
    run = write_run(tmp_path, steps=1)
    write_json(run / "metrics.json", {"experiment": "digits-cnn", "status": "running"})
    assert "1 step so far: the run is still going on, or it died." in write_report(run).read_text()


def test_a_run_without_validations_has_a_report(tmp_path: Path) -> None:
    page = write_report(write_run(tmp_path, steps=30, every=1000)).read_text()
    assert "30 steps, without a summary" in page
    assert not (tmp_path / "plots" / "metrics.svg").exists()


def test_two_hundred_thousand_steps_take_seconds(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    line = json.dumps(step_record(1, 2.3))
    with (tmp_path / "logs" / "history.jsonl").open("w") as file:
        file.writelines(line.replace('"step": 1,', f'"step": {step},') + "\n" for step in range(1, 200_001))
    start = time.perf_counter()
    page = write_report(tmp_path)
    # Two seconds on an idle core of 2024; the bound only has to tell seconds from minutes.
    assert time.perf_counter() - start < 60
    assert page.stat().st_size < 1_000_000
    assert "200,000 steps, without a summary" in page.read_text()


@settings(max_examples=25, deadline=None)
@given(
    metrics=st.dictionaries(st.sampled_from(NAMES), ANYTHING) | ANYTHING,
    others=st.lists(ANYTHING, min_size=3, max_size=3),
    lines=st.lists(LINES, max_size=3),
)
def test_no_content_of_the_files_prevents_a_report(
    tmp_path_factory: pytest.TempPathFactory, metrics: object, others: list[object], lines: list[dict[str, object]]
) -> None:
    run = tmp_path_factory.mktemp("run")
    for folder in ("logs", "artifacts"):
        (run / folder).mkdir()
    table = {"columns": others[0], "rows": others[1], "title": others[2]}
    files = {"metrics.json": metrics, "env.json": others[0], "findings.json": others[1], "artifacts/a.json": table}
    for name, content in files.items():
        write_json(run / name, content)
    append_history(run, *lines)
    assert write_report(run).read_text().endswith("</html>")
