from __future__ import annotations

import json
import signal

import pytest

from loopwright.catalogue.index import entries
from loopwright.cli.main import main
from loopwright.core import Study
from loopwright.errors import DataError, Interrupted, RunError
from loopwright.running.config import Origin
from loopwright.running.session import Watchers
from loopwright.running.studying import begin_study, carry_out, is_study, train_study
from tests.running.processes import held
from tests.toys import Toy, toy


def table(results, directory):
    rows = [[member.name, metrics.get("status"), metrics.get("steps")] for member, metrics in results]
    content = {"title": "Members", "columns": ["member", "status", "steps"], "rows": rows, "note": "That was it."}
    (directory / "members.json").write_text(json.dumps(content))


class Poisoned(Toy):
    def loss(self, model, batch):
        return {name: value * float("nan") for name, value in super().loss(model, batch).items()}


def test_each_member_is_a_run_and_one_that_fails_is_part_of_the_result(tmp_path):
    members = (toy(name="good", steps=3), toy(name="bad", task=Poisoned(), steps=3))
    run = train_study(Study("pair", members, table), tmp_path, Watchers(), Origin("pair"))
    assert is_study(run)
    assert json.loads((run / "artifacts/members.json").read_text())["rows"] == [
        ["good", "finished", 3],
        ["bad", "failed", 0],
    ]
    assert (run / "members/good/001/checkpoints/last.pt").is_file()
    assert (run / "report.html").is_file()


def test_a_study_that_is_carried_out_again_does_only_what_is_missing(tmp_path):
    study = Study("pair", (toy(name="a", steps=2), toy(name="b", steps=2)), table)
    run = train_study(study, tmp_path, Watchers(), Origin("pair"))
    before = (run / "members/a/001/metrics.json").stat().st_mtime_ns
    (run / "members/b/001").rename(tmp_path / "gone")
    carry_out(study, run, Watchers(), Origin("pair"))
    assert (run / "members/a/001/metrics.json").stat().st_mtime_ns == before
    assert json.loads((run / "metrics.json").read_text())["status"] == "finished"


class Stopping(Toy):
    """A signal arrives in its first evaluation."""

    def evaluate(self, model, split):
        if not getattr(self, "stopped", False):
            object.__setattr__(self, "stopped", True)
            signal.raise_signal(signal.SIGTERM)
        return super().evaluate(model, split)


def test_a_signal_stops_the_study_and_says_how_to_go_on_with_all_of_it(tmp_path):
    study = Study("pair", (toy(name="a", steps=2, task=Stopping()), toy(name="b", steps=2)), table)
    with pytest.raises(Interrupted, match=r"go on with: loopwright resume \S+/pair/001$") as caught:
        train_study(study, tmp_path, Watchers(), Origin("pair"))
    assert caught.value.exit_code == 143
    assert caught.value.run == tmp_path / "pair/001"
    assert json.loads((tmp_path / "pair/001/metrics.json").read_text())["status"] == "interrupted"


def test_a_study_is_running_while_a_process_has_it_and_killed_once_none_has(tmp_path):
    study = Study("pair", (toy(name="a", steps=2), toy(name="b", steps=2)), table)
    run = begin_study(study, tmp_path, Origin("pair"))
    found = lambda: {entry.name: entry.facts["status"] for entry in entries(tmp_path)}  # noqa: E731
    assert found() == {"pair/001": "killed"}
    with held(run):
        assert found() == {"pair/001": "running"}
    (run / "members/a/001/logs").mkdir(parents=True)
    with held(run / "members/a/001"):
        assert found()["pair/001"] == "running"
    assert found()["pair/001"] == "killed"


def test_two_processes_cannot_carry_out_one_study(tmp_path):
    study = Study("pair", (toy(name="a", steps=2),), table)
    run = begin_study(study, tmp_path, Origin("pair"))
    with held(run), pytest.raises(RunError, match=r"another process .* is training it"):
        carry_out(study, run, Watchers(), Origin("pair"))


def test_a_study_whose_member_cannot_go_on_says_why(tmp_path):
    class Broken(Toy):
        def loss(self, model, batch):
            raise DataError("the file is gone")

    study = Study("pair", (toy(name="a", steps=2, task=Broken()),), table)
    with pytest.raises(DataError):
        train_study(study, tmp_path, Watchers(), Origin("pair"))
    metrics = json.loads((tmp_path / "pair/001/metrics.json").read_text())
    assert (metrics["status"], metrics["reason"]) == ("failed", "member a: the file is gone")


OWN = '''
from dataclasses import replace
from loopwright.core import Study
from loopwright.experiments.points import points_linear
from tests.running.test_studies import table

def pair() -> Study:
    """Two rates."""
    base = replace(points_linear(), steps=6, eval_every=3)
    members = [replace(base, name=f"lr{lr}", optimizer=replace(base.optimizer, lr=lr)) for lr in (0.1, 0.01)]
    return Study("pair", tuple(members), table)
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(OWN)
    return tmp_path


def test_a_study_of_ones_own_runs_resumes_and_keeps_its_flags(own, capsys):
    assert main(["train", "own.py:pair", "--steps", "4", "--threads", "1", "--quiet"]) == 0
    out = capsys.readouterr().out.splitlines()
    run = own / "runs/pair/001"
    assert out[-1] == "runs/pair/001"
    assert "That was it." in out
    (run / "members/lr0.01/001/metrics.json").unlink()
    (run / "metrics.json").unlink()
    assert main(["resume", "runs/pair/001", "--quiet"]) == 0
    assert json.loads((run / "members/lr0.01/001/metrics.json").read_text())["steps"] == 4
    assert main(["train", "--config", "runs/pair/001/config.toml", "--quiet"]) == 0
    assert json.loads((own / "runs/pair/002/metrics.json").read_text())["members"][0]["steps"] == 4


def test_what_a_study_studies_cannot_be_set_by_a_flag(own, capsys):
    assert main(["train", "own.py:pair", "--lr", "0.5"]) == 2
    assert "--optimizer.lr: this is what pair studies" in capsys.readouterr().err


def test_a_member_is_evaluated_like_any_run_and_the_study_itself_is_not(own, capsys):
    assert main(["train", "own.py:pair", "--steps", "2", "--threads", "1", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["evaluate", "runs/pair/001/members/lr0.1/001"]) == 0
    assert json.loads(capsys.readouterr().out)["step"] == 2
    assert main(["evaluate", "runs/pair/001"]) == 2
    assert "is a study; name one of the runs below" in capsys.readouterr().err
