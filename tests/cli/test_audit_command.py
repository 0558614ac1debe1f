from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loopwright.cli.main import main

ROOT = Path(__file__).parents[2]
FINE = "tests/auditing/broken.py:fine"


pytestmark = pytest.mark.usefixtures("in_the_repository")


@pytest.fixture(autouse=True)
def _found_by_its_processes(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def test_an_audit_prints_its_table_and_leaves_nothing_behind(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("tempfile.tempdir", None)
    flags = ["--steps", "4", "--seed", "3", "--amp", "--audit-seed", "5"]
    assert main(["audit", FINE, "--only", "evaluation", *flags]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0].split() == ["check", "seconds", "what", "was", "done", "compared", "result"]
    assert lines[1].startswith("evaluation")
    assert lines[-1] == f"{FINE}: 1 of 1 checks the same, none differs"
    assert f"auditing {FINE}, 4 steps; --audit-seed 5" in captured.err
    assert "0/1  evaluation" in captured.err
    assert list(tmp_path.glob("loopwright-*")) == []


def test_a_difference_is_exit_code_1_and_its_runs_are_kept(tmp_path, capsys):
    kept = tmp_path / "kept"
    arguments = ["--only", "evaluation", "--keep", str(kept), "--quiet"]
    assert main(["audit", "tests/auditing/broken.py:perplexed", *arguments]) == 1
    captured = capsys.readouterr()
    assert "DIFFERS" in captured.out
    assert captured.err == ""
    assert (kept / "baseline/perplexed/001/metrics.json").is_file()
    assert f"runs   {kept}" in captured.out


def test_checks_are_separated_by_commas_or_spaces(capsys):
    for only in (["--only", "twice,sigkil"], ["--only", "twice", "sigkil"], ["--only", "twice,", "--only", "sigkil"]):
        assert main(["audit", "points", *only]) == 2
        said = capsys.readouterr().err
        assert "'sigkil': not a check of an audit, did you mean 'sigkill'" in said
        assert "auditing" not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "audit: which experiment?"),
        (["--steps", "3"], "the experiment's name comes first"),
        (["pointz"], "did you mean"),
        (["points", "--lrr", "1"], "has no field 'lrr'"),
        (["points", "--only", "sigkil"], "did you mean 'sigkill'"),
        (["points", "--batch-size", "1000"], "larger than the training split"),
    ],
)
def test_bad_usage_is_exit_code_2(arguments, said, capsys):
    assert main(["audit", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err


def test_of_a_study_the_first_member_is_audited(capsys):
    assert main(["audit", "points-scale", "--batch-size", "100000"]) == 2
    assert "its first member, n100-" in capsys.readouterr().err


@pytest.mark.parametrize("waits_for", ["baseline.err", "twice.err"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_audit_that_is_stopped_ends_its_processes_and_removes_its_files(tmp_path, number, code, waits_for):
    command = [
        sys.executable,
        "-m",
        "loopwright",
        "audit",
        "tests/slow_toy.py:slow",
        "--task.pause",
        "0.25",
        "--steps",
        "2",
    ]
    process = subprocess.Popen(
        command, env={**os.environ, "TMPDIR": str(tmp_path)}, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(f"*/{waits_for}")):
        assert time.monotonic() < deadline, process.communicate()
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    assert "audit: stopped, its processes were ended" in err
    assert list(tmp_path.glob("loopwright-*")) == []
    running = subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in running


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["audit", "points"], ["replay", "none", "--step", "1"], ["bisect", "a", "b"]])
def test_what_needs_no_workers_is_refused_under_torchrun_once(arguments):
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run([sys.executable, *launch, "-m", "loopwright", *arguments], capture_output=True, text=True)
    assert done.stderr.count(f"loopwright: {arguments[0]}: started by torchrun 2 times") == 1
    assert "exitcode  : 2 " in done.stderr
    assert done.stdout == ""
