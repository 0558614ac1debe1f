"""Runs are listed as they stand, from an index that is never needed and can always be deleted."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from loopwright.catalogue import Entry, entries
from loopwright.catalogue.tail import TAIL_BYTES
from loopwright.errors import UsageError
from loopwright.journal.lock import claim_run
from tests.catalogue.making import held_by_another, write_history, write_json, write_run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_run(tmp_path, "cnn/001", seed=0, accuracy=0.9)
    write_run(tmp_path, "cnn/002", seed=1, accuracy=0.7)
    write_run(tmp_path, "mlp/001")
    (tmp_path / "cnn" / "latest").symlink_to("002")
    return tmp_path


class Read:
    """Notes which runs had to be read."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, names: Sequence[str]) -> Iterable[str]:
        self.names = list(names)
        return names


def age(root: Path) -> None:
    """What was written just now lies in the past: changes of the last two seconds are looked at again."""
    for path in [*root.rglob("*")]:
        if not path.is_symlink():
            os.utime(path, (time.time() - 100, time.time() - 100))


def listed(root: Path) -> tuple[dict[str, Entry], list[str]]:
    read = Read()
    return {entry.name: entry for entry in entries(root, read)}, read.names


def index_of(root: Path) -> Path:
    return root / ".loopwright" / "index.sqlite"


def test_every_run_is_listed_with_what_it_reached(root: Path) -> None:
    found, _ = listed(root)
    assert list(found) == ["cnn/001", "cnn/002", "mlp/001"]
    entry = found["cnn/001"]
    assert entry.path == root / "cnn" / "001"
    for name, value in {
        "run": "cnn/001",
        "experiment": "cnn",
        "status": "finished",
        "steps": 4,
        "best_step": 3,
        "seed": 0,
        "val.accuracy": 0.9,
        "best.val.accuracy": 0.9,
        "val.best.accuracy": 0.9,
        "last.val.accuracy": 0.8,
        "val.last.accuracy": 0.8,
        "test.loss": 0.5,
        "optimizer.lr": 0.001,
        "optimizer": "AdamW",
        "optimizer.type": "AdamW",
        "optimizer.betas": [0.9, 0.999],
        "epochs": 2.0,
        "config.seed": 0,
        "config.steps": None,
        "shuffle": True,
        "claims": "hold",
        "findings": 1,
        "started": "2026-11-26T10:01:00Z",
        "seconds": 1.5,
        "tags": [],
        "nonsense": None,
        "val.nonsense": None,
    }.items():
        assert entry.value(name) == value, name
    assert found["cnn/002"].value("claims") == "missed"
    assert {"val.accuracy", "optimizer.lr", "status"} <= set(entry.names())


def test_a_second_listing_reads_no_run(root: Path) -> None:
    age(root)
    first, read = listed(root)
    assert len(read) == 3
    second, read = listed(root)
    assert read == []
    assert second == first


def test_what_changed_just_now_is_looked_at_again(root: Path) -> None:
    listed(root)
    assert len(listed(root)[1]) == 3


def replace_summary(run: Path) -> None:
    write_json(run / "new.json", {**json.loads((run / "metrics.json").read_text()), "steps": 77})
    os.replace(run / "new.json", run / "metrics.json")


def rewrite_summary(run: Path) -> None:
    write_json(run / "metrics.json", {**json.loads((run / "metrics.json").read_text()), "steps": 1077})


CHANGES = {
    "metrics.json replaced": (replace_summary, "steps", 77),
    "metrics.json rewritten in its place": (rewrite_summary, "steps", 1077),
    "metrics.json lost": (lambda run: (run / "metrics.json").unlink(), "status", "unknown"),
    "a note": (lambda run: (run / "notes.md").write_text("new\n"), "notes", "new"),
    "a tag": (lambda run: (run / "tags").write_text("a\nb\n"), "tags", ["a", "b"]),
    "archived": (lambda run: (run / "archived").write_text(""), "archived", True),
    "config.toml edited": (lambda run: (run / "config.toml").write_text("seed = 5\n"), "seed", 5),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen(root: Path, name: str) -> None:
    age(root)
    listed(root)
    change, key, value = CHANGES[name]
    change(root / "cnn" / "001")
    found, read = listed(root)
    assert read == ["cnn/001"]
    assert found["cnn/001"].value(key) == value


def test_a_note_edited_in_its_place_is_seen(root: Path) -> None:
    (root / "cnn" / "001" / "notes.md").write_text("old")
    age(root)
    listed(root)
    with (root / "cnn" / "001" / "notes.md").open("a") as file:
        file.write(" and new")
    assert listed(root)[0]["cnn/001"].value("notes") == "old and new"


def test_runs_come_and_go(root: Path) -> None:
    age(root)
    listed(root)
    shutil.rmtree(root / "cnn" / "001")
    write_run(root, "mlp/002")
    assert list(listed(root)[0]) == ["cnn/002", "mlp/001", "mlp/002"]
    with sqlite3.connect(index_of(root)) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (2,)


def test_a_run_deleted_while_it_is_read_is_left_out(root: Path) -> None:
    def vanishing(names: Sequence[str]) -> Iterable[str]:
        for name in names:
            if name == "cnn/002":
                shutil.rmtree(root / name)
            yield name

    assert [entry.name for entry in entries(root, vanishing)] == ["cnn/001", "mlp/001"]


@pytest.mark.parametrize("spoil", ["delete", "no database", "torn", "another version", "nonsense"])
def test_without_a_good_index_the_runs_are_read(root: Path, spoil: str) -> None:
    age(root)
    first, _ = listed(root)
    path = index_of(root)
    if spoil == "delete":
        shutil.rmtree(path.parent)
    elif spoil == "no database":
        path.write_text("nothing of the kind" * 1000)
    elif spoil == "torn":
        path.write_bytes(path.read_bytes()[:5000])
    else:
        with sqlite3.connect(path) as connection:
            if spoil == "another version":
                connection.execute("PRAGMA user_version = 99")
            else:
                connection.execute("UPDATE runs SET facts = '[1]', config = '{'")
    found, read = listed(root)
    assert found == first
    assert len(read) == 3
    assert listed(root)[1] == []


def test_where_no_index_can_be_written_the_runs_are_read(root: Path) -> None:
    age(root)
    first, _ = listed(root)
    shutil.rmtree(root / ".loopwright")
    (root / ".loopwright").write_text("in the way")
    assert listed(root)[0] == first
    assert (root / ".loopwright").read_text() == "in the way"


def test_the_index_is_written_through_no_link(root: Path) -> None:
    elsewhere = root.parent / f"{root.name}-elsewhere"
    elsewhere.mkdir()
    (root / ".loopwright").symlink_to(elsewhere)
    assert len(listed(root)[0]) == 3
    (root / ".loopwright").unlink()
    (root / ".loopwright").mkdir()
    index_of(root).symlink_to(elsewhere / "other.sqlite")
    assert len(listed(root)[0]) == 3
    assert list(elsewhere.iterdir()) == []


def test_an_index_that_another_process_is_writing_is_waited_for_or_gone_without(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loopwright.catalogue.index.WAIT_SECONDS", 0.05)
    age(root)
    listed(root)
    write_run(root, "mlp/002")
    with sqlite3.connect(index_of(root), isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert len(listed(root)[0]) == 4
        other.execute("ROLLBACK")
    other.close()
    assert len(listed(root)[0]) == 4


def test_processes_that_list_at_once_all_see_every_run(root: Path) -> None:
    for number in range(3, 30):
        write_run(root, f"cnn/{number:03d}")
    age(root)
    code = (
        "import pathlib, sys; from loopwright.catalogue import entries; print(len(entries(pathlib.Path(sys.argv[1]))))"
    )
    command = [sys.executable, "-c", code, str(root)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [int(process.communicate()[0]) for process in started] == [30] * 4
    assert listed(root)[1] == []


def test_a_run_that_goes_on_is_shown_as_far_as_it_is(root: Path) -> None:
    run = write_run(root, "cnn/003", status="running", accuracy=0.9)
    age(root)
    assert listed(root)[0]["cnn/003"].value("status") == "killed"
    with held_by_another(run):
        entry = listed(root)[0]["cnn/003"]
        assert [entry.value(name) for name in ("status", "steps", "loss")] == ["running", 4, 0.25]
        assert entry.value("best_step") == 2
        assert entry.value("val.accuracy") == 0.88
        assert entry.value("last.val.accuracy") == 0.86
        write_history(run, 6, 0.5)
        assert listed(root)[0]["cnn/003"].value("steps") == 6


def test_of_a_long_history_the_end_alone_is_read(root: Path) -> None:
    run = write_run(root, "cnn/003", status="failed")
    path = run / "logs" / "history.jsonl"
    end = path.read_text()
    path.write_bytes(b'{"kind":"validation","step":1,"metrics":{"accuracy":1.0}}\n' + b"x" * 3 * TAIL_BYTES + b"\n")
    with path.open("a") as file:
        file.write(end + '{"kind":"step","step":5,"lo')
    entry = listed(root)[0]["cnn/003"]
    assert entry.value("steps") == 4
    assert entry.value("last.val.accuracy") == 0.86
    assert entry.value("val.accuracy") is None


DAMAGE = {
    "config.toml": ["config.toml is damaged"],
    "metrics.json": ["metrics.json is damaged"],
    "env.json": ["env.json is damaged"],
    "findings.json": [],
    "logs/history.jsonl": [],
}


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"[1, 2]", b'{"a": ', b"[" * 100_000])
@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_costs_what_is_in_it(root: Path, name: str, content: bytes) -> None:
    run = root / "cnn" / "001"
    (run / name).write_bytes(content)
    found, _ = listed(root)
    assert found["cnn/001"].value("run") == "cnn/001"
    assert found["cnn/001"].value("experiment") == "cnn"
    if name != "metrics.json":
        assert found["cnn/001"].value("val.accuracy") == 0.9


@pytest.mark.parametrize(
    "metrics",
    [
        {"status": 3, "steps": "x", "val": [1], "best": 5, "claims": {"a": 1}, "members": 3, "timing": None},
        {"status": ["x"], "val": {"best": {"accuracy": "nan", "x": {}, "y": None}, "last": 3}, "decided_by": [1]},
        {"experiment": "\ud800", "reason": "\x1b[2J", "val": {"best": {"\ud800": 1.0}}, "steps": 1e400},
    ],
)
def test_values_of_other_types_are_left_out(root: Path, metrics: dict[str, object]) -> None:
    write_json(root / "cnn" / "001" / "metrics.json", metrics)
    age(root)
    first = listed(root)[0]["cnn/001"]
    again, read = listed(root)
    assert read == []
    assert repr(again["cnn/001"]) == repr(first)


def test_what_is_no_run_is_not_listed(root: Path) -> None:
    (root / "cnn" / "003").mkdir()
    (root / "cnn" / "004").write_text("a file")
    (root / "cnn" / "notes").mkdir()
    (root / "file").write_text("")
    assert len(listed(root)[0]) == 3


def test_a_run_that_lost_its_configuration_is_listed(root: Path) -> None:
    (root / "cnn" / "001" / "config.toml").unlink()
    entry = listed(root)[0]["cnn/001"]
    assert entry.facts["problems"] == ["config.toml is missing"]
    assert entry.value("val.accuracy") == 0.9


def test_a_root_that_is_not_there_has_no_runs_and_none_is_made(tmp_path: Path) -> None:
    assert entries(tmp_path / "nothing") == []
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file: cannot be read"):
        entries(tmp_path / "file")


def test_a_held_lock_is_no_business_of_a_listing(root: Path) -> None:
    claim_run(root / "cnn" / "001").close()
    assert len(listed(root)[0]) == 3
