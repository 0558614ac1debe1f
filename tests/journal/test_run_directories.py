from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loopwright.errors import ConfigError, RunError, StoreError
from loopwright.journal import create_run, list_runs, open_run
from loopwright.journal.runs import point_latest


def made(root: Path, experiment: str = "points") -> Path:
    """A run with the files that make it one."""
    run = create_run(root, experiment)
    for name in ("config.toml", "env.json"):
        (run / name).write_text("")
    return run


def test_runs_are_counted_up_and_the_latest_is_linked(tmp_path):
    runs = [create_run(tmp_path / "runs", "points") for _ in range(3)]
    assert [run.name for run in runs] == ["001", "002", "003"]
    assert runs[0] == tmp_path / "runs/points/001"
    assert (runs[2] / "logs").is_dir()
    assert os.readlink(tmp_path / "runs/points/latest") == "003"
    assert sorted(path.name for path in (tmp_path / "runs/points").iterdir()) == ["001", "002", "003", "latest"]


def test_a_number_is_never_used_again(tmp_path):
    for name in ("007", "999"):
        (tmp_path / "points" / name).mkdir(parents=True)
    (tmp_path / "points/1000").write_text("a file")
    assert create_run(tmp_path, "points").name == "1001"
    assert os.readlink(tmp_path / "points/latest") == "1001"


def test_names_that_only_look_like_numbers_are_no_runs(tmp_path):
    for name in ("²", "٣", "12a", "-1", "0x1"):
        (tmp_path / "points" / name).mkdir(parents=True)
        (tmp_path / "points" / name / "config.toml").write_text("")
    assert create_run(tmp_path, "points").name == "001"
    assert list_runs(tmp_path) == []


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../evil", "/evil", "a/b", "a/", "a/../..", "a\0b", "a\nb", "\udcff", "\x1b[2J"]
)
def test_a_name_that_is_no_plain_directory_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="must do as the name of a directory"):
        create_run(tmp_path / "runs", name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["é ü", "lr=0.1, wd=1e-3", "-x", "...", "a\\b", "$(x)"])
def test_odd_names_are_names(tmp_path, name):
    run = made(tmp_path / "runs", name)
    assert run == tmp_path / "runs" / name / "001"
    assert list_runs(tmp_path / "runs") == [run]


@pytest.mark.parametrize("root", ["file", "file/runs"])
def test_a_place_where_no_run_can_be_is_an_error(tmp_path, root):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="points: cannot be written"):
        create_run(tmp_path / root, "points")


def test_a_name_that_is_too_long_is_an_error(tmp_path):
    with pytest.raises(StoreError, match="File name too long"):
        create_run(tmp_path, "x" * 256)


def test_threads_never_get_the_same_run(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: create_run(tmp_path, "points"), range(40)))
    assert sorted(run.name for run in runs) == [f"{number:03d}" for number in range(1, 41)]
    assert os.readlink(tmp_path / "points/latest") == "040"
    assert list(tmp_path.glob("points/.*")) == []


def test_processes_never_get_the_same_run(tmp_path):
    script = Path(__file__).with_name("making_runs.py")
    done = subprocess.run([sys.executable, str(script), str(tmp_path), "6", "10"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    runs = sorted(tmp_path.glob("points/[0-9]*"))
    assert [run.name for run in runs] == [f"{number:03d}" for number in range(1, 61)]
    assert {len(list(run.glob("made-by-*"))) for run in runs} == {1}
    assert os.readlink(tmp_path / "points/latest") == "060"


def test_a_latest_that_is_no_link_is_an_error_that_names_it(tmp_path):
    (tmp_path / "points/latest").mkdir(parents=True)
    with pytest.raises(StoreError, match="points/latest: cannot be written"):
        create_run(tmp_path, "points")
    assert list(tmp_path.glob("points/.*")) == []


def test_without_symbolic_links_there_is_no_latest(tmp_path):
    def refuse(target, link):
        raise OSError(errno.EPERM, "Operation not permitted")

    (tmp_path / "001").mkdir()
    point_latest(tmp_path, symlink=refuse)
    assert [path.name for path in tmp_path.iterdir()] == ["001"]


def test_a_run_made_while_another_is_linked_is_the_latest(tmp_path):
    def link(target, path):
        os.symlink(target, path)
        (tmp_path / "002").mkdir(exist_ok=True)

    (tmp_path / "001").mkdir()
    point_latest(tmp_path, symlink=link)
    assert os.readlink(tmp_path / "latest") == "002"


def test_a_run_is_opened_by_its_path_or_by_latest_or_through_links(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = made(Path("runs"))
    Path("mine").symlink_to("runs/points/latest")
    Path("absolute").symlink_to(tmp_path / "runs/points/001")
    assert open_run(run) == Path("runs/points/001")
    assert open_run(Path("runs/points/latest")) == Path("runs/points/001")
    assert open_run(Path("mine")) == Path("runs/points/001")
    assert open_run(Path("absolute")) == tmp_path / "runs/points/001"
    monkeypatch.chdir(run)
    assert open_run(Path(".")) == Path(".")


def test_what_latest_meant_when_it_was_opened_stays(tmp_path):
    first = made(tmp_path)
    opened = open_run(tmp_path / "points/latest")
    made(tmp_path)
    assert opened == first


def test_a_moved_tree_still_has_its_latest(tmp_path):
    made(tmp_path / "a")
    shutil.move(tmp_path / "a", tmp_path / "b")
    assert open_run(tmp_path / "b/points/latest") == tmp_path / "b/points/001"
    assert list_runs(tmp_path / "b") == [tmp_path / "b/points/001"]


def test_a_run_that_is_not_there_is_an_error_with_the_nearest_name(tmp_path):
    made(tmp_path)
    with pytest.raises(RunError, match=r"lates: no such run; did you mean '.*/points/latest'\?"):
        open_run(tmp_path / "points/lates")
    with pytest.raises(RunError, match=r"missing/001: no such run; `loopwright runs` lists those there are"):
        open_run(tmp_path / "missing/001")


def test_a_link_to_nowhere_or_in_a_circle_is_no_run(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "c").symlink_to("missing")
    for name in "abc":
        with pytest.raises(RunError, match=f"{name}: no such run"):
            open_run(tmp_path / name)


@pytest.mark.parametrize("kind", ["file", "empty", "half"])
def test_what_is_no_run_is_an_error(tmp_path, kind):
    path = tmp_path / kind
    if kind == "file":
        path.write_text("")
    else:
        path.mkdir()
    if kind == "half":
        (path / "config.toml").write_text("")
    missing = "env.json" if kind == "half" else "config.toml and no env.json"
    with pytest.raises(RunError, match=rf"{kind}: not a run, it has no {missing}; `loopwright runs` lists"):
        open_run(path)


def test_runs_are_listed_by_experiment_and_number(tmp_path):
    for experiment in ("points", "line", "points"):
        made(tmp_path, experiment)
    create_run(tmp_path, "points")  # without a configuration
    (tmp_path / "points/1000").mkdir()
    (tmp_path / "points/1000/config.toml").write_text("")
    (tmp_path / "file").write_text("")
    found = [str(run.relative_to(tmp_path)) for run in list_runs(tmp_path)]
    assert found == ["line/001", "points/001", "points/002", "points/1000"]


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_place_without_runs_lists_none(tmp_path, name):
    (tmp_path / "file").write_text("")
    assert list_runs(tmp_path / name) == []


def test_links_inside_a_run_are_followed(tmp_path):
    run = made(tmp_path)
    (run / "logs/also").symlink_to("../env.json")
    (run / "logs/loop").symlink_to("loop")
    assert open_run(run) == run
    assert open_run(tmp_path / "points/latest") == run


@pytest.mark.parametrize("name", ["metrics.json", "logs/history.jsonl", "checkpoints", "artifacts/deep/down.svg"])
@pytest.mark.parametrize("target", ["own", "missing", "own-directory"])
def test_a_run_with_a_link_out_of_it_is_refused(tmp_path, name, target):
    run = made(tmp_path / "runs")
    (tmp_path / "own").write_text("mine")
    (tmp_path / "own-directory").mkdir()
    (run / name).parent.mkdir(parents=True, exist_ok=True)
    (run / name).symlink_to(tmp_path / target)
    with pytest.raises(RunError, match=rf"{name}: a link out of the run; put the file itself there"):
        open_run(run)


def test_a_run_with_a_pipe_in_it_is_refused(tmp_path):
    run = made(tmp_path)
    os.mkfifo(run / "metrics.json")
    with pytest.raises(RunError, match=r"metrics\.json: neither a file nor a directory; remove it"):
        open_run(run)


def test_a_file_that_goes_while_the_run_is_looked_at_is_no_fault(tmp_path, monkeypatch):
    run = made(tmp_path)
    temporary = run / ".metrics.json.1.tmp"
    temporary.write_text("")
    walk = os.walk

    def listed_and_gone(top):
        for found in walk(top):
            temporary.unlink(missing_ok=True)
            yield found

    monkeypatch.setattr(os, "walk", listed_and_gone)
    assert open_run(run) == run
    assert not temporary.exists()
