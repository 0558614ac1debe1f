from __future__ import annotations

import json
import os
import re
from dataclasses import replace

import pytest

from loopwright.campaign.everything import Entry
from loopwright.campaign.pool import Job
from loopwright.campaign.results import Results, Row, as_markdown, check_free, row, write_results
from loopwright.campaign.sizes import SHORTENED, SMALLER_CLAIMS
from loopwright.cli.main import main
from loopwright.cli.run_all import entry as entry_at
from loopwright.cli.run_all import remembering
from loopwright.core import Claim, Study
from loopwright.errors import RunError
from loopwright.processes import Ended
from loopwright.running.config import Origin
from loopwright.running.registry import entries
from tests.running.processes import ROOT, held
from tests.toys import toy


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{ROOT / 'src'}")
    monkeypatch.setenv("LOOPWRIGHT_DATA", str(tmp_path / "nothing"))
    return tmp_path


def test_every_experiment_is_run_found_again_and_left_out_where_its_data_are_not_here(elsewhere, capsys):
    command = ["run-all", "--only", "line,mnist-cnn", "--quiet"]
    assert main(command) == 0
    text = (elsewhere / "artifacts/results.md").read_text()
    assert re.search(r"\\| line \\| as it is \\| 1.97 ≤ test.best.slope ≤ 2.03; .* \\| reached \\|", text)
    assert "mnist-cnn: left out, " in text
    assert "[page](<../runs/line/001/report.html>)" in text
    assert 'href="../runs/line/001/report.html"' in (elsewhere / "artifacts/results.html").read_text()
    out = capsys.readouterr().out.splitlines()
    assert out[-2:] == ["artifacts/results.md", "artifacts/results.html"]
    before = (elsewhere / "runs/line/001/metrics.json").stat().st_mtime_ns
    assert main(command) == 0
    assert (elsewhere / "runs/line/001/metrics.json").stat().st_mtime_ns == before
    assert sorted(path.name for path in (elsewhere / "runs/line").iterdir()) == ["001", "latest"]


def test_results_of_somebody_elses_are_not_written_over(elsewhere, capsys):
    (elsewhere / "artifacts").mkdir()
    (elsewhere / "artifacts/results.md").write_text("mine")
    assert main(["run-all", "--only", "line"]) == 2
    assert "loopwright run-all` did not make it; choose another --out" in capsys.readouterr().err
    assert (elsewhere / "artifacts/results.md").read_text() == "mine"
    with pytest.raises(RunError):
        write_results(Results((), "small", ()), elsewhere / "artifacts")
    (elsewhere / "artifacts/results.md").unlink()
    (elsewhere / "artifacts/results.md").symlink_to("nowhere")
    assert main(["run-all", "--only", "line"]) == 2
    assert (elsewhere / "artifacts/results.md").is_symlink()


def test_two_of_them_do_not_train_the_same_runs(elsewhere, capsys):
    logs = elsewhere / "runs/.loopwright/run-all"
    (logs / "logs").mkdir(parents=True)
    with held(logs):
        assert main(["run-all", "--only", "line"]) == 2
    assert re.search(r"another process \(PID \d+\) trains every experiment there; wait", capsys.readouterr().err)
    assert not (elsewhere / "runs/line").exists()


def test_an_unknown_experiment_is_answered_with_the_nearest(capsys):
    assert main(["run-all", "--only", "lime"]) == 2
    assert "did you mean 'line'?" in capsys.readouterr().err
    assert main(["run-all", "--only", ","]) == 2
    assert "names no experiment" in capsys.readouterr().err


def test_what_is_shortened_exists_and_claims_no_more_than_the_whole():
    known = entries()
    assert SHORTENED.keys() <= known.keys()
    assert SMALLER_CLAIMS.keys() <= SHORTENED.keys()
    for name in SHORTENED.keys() - SMALLER_CLAIMS.keys():
        made = known[name].make()
        assert isinstance(made, Study)
        assert not any(member.expect.claims for member in made.members)


@pytest.mark.parametrize("name", sorted(SHORTENED))
def test_the_small_size_of_each_is_shorter(elsewhere, name):
    small, made = entry_at(name, "small"), entries()[name].make()
    whole = made.members if isinstance(made, Study) else [made]
    for shortened, one in zip(small.experiments, whole, strict=True):
        assert shortened.steps or shortened.epochs < one.epochs
        assert shortened.steps is None or shortened.steps < (one.steps or 9000)
    assert small.flags == SHORTENED[name]


def entry(**changes):
    return replace(Entry("toy", "A toy.", toy(), Origin("toy")), **changes)


def made(tmp_path, metrics, findings=()):
    run = tmp_path / "toy/001"
    run.mkdir(parents=True)
    (run / "metrics.json").write_text(json.dumps(metrics))
    (run / "findings.json").write_text(json.dumps({"findings": list(findings)}))
    return run


HOLDS = {"metric": "val.best.loss", "at_most": 1.0, "reached": 0.5, "holds": True}


@pytest.mark.parametrize(
    ("metrics", "findings", "verdict"),
    [
        ({"status": "finished", "claims": [HOLDS]}, [], "reached"),
        ({"status": "finished", "claims": [{**HOLDS, "holds": False}]}, [], "missed"),
        ({"status": "finished", "claims": [HOLDS]}, [{"severity": "error", "cause": "no-step"}], "sick"),
        ({"status": "finished", "claims": [HOLDS]}, [{"severity": "warning", "cause": "no-step"}], "reached"),
        ({"status": "finished"}, [], "done"),
        ({"status": "failed", "reason": "a disk"}, [], "failed"),
        ({"status": "interrupted"}, [], "not done"),
    ],
)
def test_the_verdict_is_what_the_files_of_the_run_say(tmp_path, metrics, findings, verdict):
    found = row(entry(), made(tmp_path, metrics, findings), {})
    assert found.verdict == verdict
    assert Results((found,), "small", ()).good == (verdict in ("reached", "done", "not done"))


def test_a_shortened_experiment_is_judged_by_its_smaller_claims(tmp_path):
    metrics = {"status": "finished", "claims": [], "test": {"best": {"accuracy": 0.95}}}
    shortened = entry(flags=("--epochs", "1"), claims=(Claim("test.best.accuracy", at_least=0.9),))
    found = row(shortened, made(tmp_path, metrics), {})
    assert (found.verdict, found.size) == ("reached", "--epochs 1")
    assert found.claimed == ("test.best.accuracy ≥ 0.9",)


def test_a_run_that_could_not_be_made_is_a_failure_with_what_it_said_last():
    found = row(entry(), None, {"toy": "exit code -9"})
    assert (found.verdict, found.reason) == ("failed", "exit code -9")
    assert row(entry(), None, {}).verdict == "not done"
    assert row(entry(missing="no data"), None, {}).verdict == "left out"


def test_a_run_that_was_told_to_stop_has_not_failed():
    reasons: dict[str, str] = {}
    for name, code in (("done", 0), ("missed", 1), ("stopped", 143), ("too early", -15), ("bad", 3), ("killed", -9)):
        remembering(reasons)(Job(name, (), ROOT / "log"), Ended(code, "", 0.0))
    assert reasons == {"bad": "exit code 3", "killed": "exit code -9"}


def test_text_out_of_files_is_escaped(tmp_path):
    hostile = Row("x", "<script>alert(1)</script>", "as it is", "failed", reason="<img src=x>|*a*")
    results = Results((hostile,), "small", ("loopwright", "run-all"))
    _, page = write_results(results, tmp_path)
    assert "<script" not in page.read_text()
    assert "<img" not in page.read_text()
    assert "\\<img src=x\\>\\|\\*a\\*" in as_markdown(results, tmp_path)


def test_results_below_a_file_are_refused_before_anything_is_trained(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match="file: not a directory; choose another --out"):
        check_free(tmp_path / "file" / "below")
    check_free(tmp_path / "new" / "below")
