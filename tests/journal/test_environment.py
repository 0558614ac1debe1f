from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from pathlib import Path

import pytest
import torch

import loopwright
from loopwright.journal import describe_machine, describe_run, uncommitted
from loopwright.journal.environment import command_line, describe_code, packages, processor


def git(directory: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", "-C", str(directory), *identity, *arguments], capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    path = tmp_path / "repository"
    path.mkdir()
    git(path, "init", "--quiet")
    (path / "a.py").write_text("x = 1\n")
    (path / "weights.bin").write_bytes(bytes(range(256)))
    git(path, "add", ".")
    git(path, "commit", "--quiet", "--message", "first")
    return path


def test_a_clean_repository_is_named_by_its_commit(repository):
    assert describe_code(repository) == {"git_commit": git(repository, "rev-parse", "HEAD"), "git_dirty": False}
    assert uncommitted(repository) == ""


@pytest.mark.parametrize(("name", "text"), [("a.py", "x = 2\n"), ("new.py", "")])
def test_a_changed_or_new_file_makes_it_dirty(repository, name, text):
    (repository / name).write_text(text)
    assert describe_code(repository)["git_dirty"] is True


def test_what_is_not_committed_can_be_applied_to_the_commit(repository):
    (repository / "a.py").write_text("x = 'é'\n")
    (repository / "weights.bin").write_bytes(bytes(256))
    for name, value in (("color.ui", "always"), ("diff.noprefix", "true"), ("diff.external", "false")):
        git(repository, "config", name, value)
    patch = uncommitted(repository)
    git(repository, "checkout", "--quiet", ".")
    (repository / "patch").write_text(patch)
    git(repository, "apply", "patch")
    assert (repository / "a.py").read_text() == "x = 'é'\n"
    assert (repository / "weights.bin").read_bytes() == bytes(256)


def test_without_a_repository_or_a_commit_there_is_nothing_to_say(repository, tmp_path):
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "--quiet")
    for directory in (tmp_path, tmp_path / "empty", tmp_path / "missing"):
        assert describe_code(directory) == {"git_commit": None, "git_dirty": None}
        assert uncommitted(directory) == ""


def test_without_git_there_is_nothing_to_say(repository, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert describe_code(repository) == {"git_commit": None, "git_dirty": None}
    assert uncommitted(repository) == ""


def test_the_record_is_complete_and_plain(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("SECRET_TOKEN", "x")
    record = describe_run({"seed": 3, "precision": {"name": "fp32"}})
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["seed"] == 3
    assert record["loopwright"] == loopwright.__version__
    assert record["python"] == platform.python_version()
    assert record["torch"] == record["packages"]["torch"] == str(torch.__version__)
    assert set(record) >= {"cuda", "platform", "cpu", "cores", "git_commit", "git_dirty", "command"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", record["started"])
    assert record["variables"]["OMP_NUM_THREADS"] == "1"
    assert "SECRET_TOKEN" not in record["variables"]
    assert describe_machine().items() <= record.items()


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        (["/venv/bin/loopwright", "train", "line"], ["loopwright", "train", "line"]),
        (["/venv/lib/loopwright/__main__.py", "runs"], ["loopwright", "runs"]),
        (["train.py"], ["train.py"]),
        ([""], ["python"]),
    ],
)
def test_the_command_is_recorded_as_it_was_given(monkeypatch, argv, command):
    monkeypatch.setattr("sys.argv", argv)
    assert command_line() == command


def test_the_processor_has_a_name(tmp_path):
    (tmp_path / "cpuinfo").write_bytes(b"processor : 0\nmodel name\t: Some CPU @ 2 GHz \nmodel name: other\n\xff")
    assert processor(tmp_path / "cpuinfo") == "Some CPU @ 2 GHz"
    (tmp_path / "arm").write_text("CPU part : 0xd0c\n")
    for name in ("arm", "missing"):
        assert processor(tmp_path / name) == (platform.processor() or platform.machine())


def distribution(directory: Path, name: str, metadata: str) -> None:
    (directory / f"{name}.dist-info").mkdir(parents=True)
    (directory / f"{name}.dist-info/METADATA").write_text(metadata)


def test_packages_are_those_that_are_imported_and_broken_ones_are_passed_over(tmp_path, monkeypatch):
    distribution(tmp_path / "first", "toy-2", "Metadata-Version: 2.1\nName: Toy\nVersion: 2\n")
    distribution(tmp_path / "first", "~broken", "")
    distribution(tmp_path / "second", "toy-1", "Metadata-Version: 2.1\nName: Toy\nVersion: 1\n")
    for name in ("second", "first"):
        monkeypatch.syspath_prepend(str(tmp_path / name))
    found = packages()
    assert found["Toy"] == "2"
    assert list(found) == sorted(found, key=str.lower)
