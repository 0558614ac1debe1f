"""`loopwright gate`: what of a project is still open."""

from __future__ import annotations

import json
import sys

from loopwright.cli.main import main
from loopwright.scaffold.gate import DELIVERABLES, own_tests
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
    assert own_tests(tmp_path, [sys.executable, "here.py"]).done
    failed = own_tests(tmp_path, [sys.executable, "-c", "raise SystemExit('1 failed')"])
    assert not failed.done
    assert failed.found == "1 failed"


def test_a_directory_that_is_not_there_is_refused(tmp_path, capsys):
    assert "no such directory" in refused(capsys, "gate", str(tmp_path / "nowhere"))
