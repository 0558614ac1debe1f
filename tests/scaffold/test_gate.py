"""`loopwright gate`: what of a project is still open."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path

from loopwright.cli.main import main
from loopwright.scaffold.gate import DELIVERABLES, check_project, own_tests
from tests.scaffold.projects import make, refused


def answered(project):
    """All that is asked, answered; a finished run beside it."""
    for path in DELIVERABLES:
        text = (project / path).read_text()
        (project / path).write_text(text.replace("(your answer)", "because").replace("No runs yet", "One run"))
    run = project / "runs/line/001"
    (run / "checkpoints").mkdir(parents=True)
    (run / "checkpoints/last.pt").write_bytes(b"weights")
    (run / "config.toml").write_text("format = 1\n")
    (run / "metrics.json").write_text('{"status": "finished"}')


def test_a_new_project_is_not_done_and_says_what_is_open(tmp_path, capsys):
    project = make(tmp_path / "mine", "line")
    assert main(["gate", str(project), "--no-tests"]) == 1
    said = capsys.readouterr().out
    assert "no run yet" in said
    assert "not filled from runs: make notes, 4 questions open" in said
    assert "8 of 8 items are open" in said


def test_a_project_is_done_when_it_has_run_and_every_question_is_answered(tmp_path, capsys):
    project = make(tmp_path / "mine", "line")
    answered(project)
    assert main(["gate", str(project), "--no-tests", "--json"]) == 0
    assert all(item["done"] for item in json.loads(capsys.readouterr().out))
    (project / "postmortem.md").unlink()
    (project / "report.md").write_text(" \n")
    (project / "runs/line/001/metrics.json").write_text('{"status": "running"}')
    assert main(["gate", str(project), "--no-tests", "--json"]) == 1
    found = {item["what"]: item["found"] for item in json.loads(capsys.readouterr().out) if not item["done"]}
    assert found == {
        "a finished run with a checkpoint": "0 of 1 runs",
        "postmortem.md": "missing",
        "report.md": "empty",
    }


def test_the_tests_of_a_project_are_run_where_it_is(tmp_path):
    (tmp_path / "here.py").write_text("print('3 passed')")
    assert own_tests(tmp_path, command=[sys.executable, "here.py"]).done
    failed = own_tests(tmp_path, command=[sys.executable, "-c", "raise SystemExit('1 failed')"])
    assert not failed.done
    assert failed.found == "1 failed"


def test_a_directory_that_is_not_there_is_refused(tmp_path, capsys):
    assert "no such directory" in refused(capsys, "gate", str(tmp_path / "nowhere"))


def test_tests_that_take_too_long_are_ended(tmp_path):
    found = own_tests(tmp_path, 0.01, [sys.executable, "-c", "import time; time.sleep(600)"])
    assert not found.done
    assert "took longer than 1 s, so it was ended" in found.found


def test_the_tests_of_a_gate_that_is_killed_end_too(tmp_path):
    (tmp_path / "test_slow.py").write_text(
        "import os, time\ndef test_slow():\n    open('began', 'w').write(str(os.getpid()))\n    time.sleep(600)\n"
    )
    gate = subprocess.Popen([sys.executable, "-m", "loopwright", "gate", str(tmp_path)], stdout=subprocess.DEVNULL)
    began = tmp_path / "began"
    wait_for(lambda: began.is_file() and began.read_text())
    gate.kill()
    gate.wait()
    wait_for(lambda: not alive(int(began.read_text())))


def wait_for(what, seconds=60):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(process):
    """Whether a process is there and no zombie that nobody has waited for."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_conflicts_that_a_merge_has_left_are_not_done(tmp_path):
    project = make(tmp_path / "mine", "line")
    answered(project)
    (project / "report.md").write_text("<<<<<<< yours\nmine\n=======\ntheirs\n>>>>>>> loopwright\n")
    (found,) = [one for one in check_project(project, tests=False) if not one.done]
    assert (found.what, found.found) == ("report.md", "a merge has left conflicts")
