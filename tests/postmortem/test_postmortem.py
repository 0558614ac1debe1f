"""What a post-mortem says: concrete, from records that are there, and nothing where there is no evidence."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from evidence import OVERFITTED_VAL, everything, write_failed, write_lab, write_run

from loopwright.errors import RunError
from loopwright.postmortem import Answer, Postmortem, examine

QUESTIONS = ["healthy", "divergence", "overfitting", "most-important", "look-first"]


def answers(found: Postmortem) -> dict[str, Answer]:
    return {answer.name: answer for answer in found.answers}


def text(answer: Answer) -> str:
    return " ".join(one.text for one in answer.statements)


def commands(answer: Answer) -> list[str]:
    return [one.line for one in answer.commands]


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    everything(tmp_path)
    return tmp_path


def test_every_statement_names_a_record_that_is_there_and_has_a_number(project):
    found = examine(Path("runs/points/002"))
    for answer in found.answers:
        assert answer.statements, answer.name
        for one in answer.statements:
            assert (project / one.run / one.source).is_file(), one
            assert re.search(r"\d", one.text), one


def test_the_five_questions_are_answered_each_from_what_shows_it_best(project):
    found = answers(examine(Path("runs/points/002")))
    told = {name: {one.run for one in found[name].statements} for name in QUESTIONS}
    assert told["healthy"] == {"runs/points/001"}
    assert told["divergence"] == {"runs/points/002", "lab/points/001"}
    assert told["overfitting"] == {"runs/points/003"}
    assert told["most-important"] == {"lab/points/001"}
    assert "2.050 at step 1" in text(found["healthy"])
    assert "lowest, 0.1000, at step 60, the last" in text(found["healthy"])
    assert "lowest, 0.5000, at step 20, and 1.500 at the end, 200% above" in text(found["overfitting"])
    assert "2 of 2 seeds ended without a number" in text(found["divergence"])
    assert all(answer.pictures for name, answer in found.items() if name in QUESTIONS[:4])


def test_without_evidence_each_question_gives_one_command_that_makes_some(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = write_run(tmp_path / "runs", "points/001", [1.0], {}, metrics={"status": "interrupted"})
    found = answers(examine(run))
    for name in QUESTIONS:
        assert found[name].lack.startswith("No evidence yet"), name
        assert not found[name].statements
        assert len(found[name].commands) == 1
        assert commands(found[name])[0].startswith("loopwright ")


def test_a_failed_run_tells_what_failed_when_why_and_what_to_do(project):
    found = answers(examine(Path("runs/points/002")))
    assert "failed after step 10 of 60: step 11" in text(found["what"])
    assert "step 10: loss 4e+21, gradient norm 0.1000" in text(found["evidence"])
    assert "lr-too-large, seen at step 1: the learning rate is too large" in text(found["cause"])
    assert "optimizer.lr is 100,000, there 0.01" in text(found["cause"])
    assert "a tenth of the rate or less" in text(found["fix"])
    assert commands(found["fix"]) == [
        "loopwright replay runs/points/002 --step 11",
        "loopwright check points --seed 1 --optimizer.lr 0.01",
        "loopwright train --config runs/points/002/config.toml --optimizer.lr 0.01",
        "loopwright compare runs/points/002 runs/points/latest",
    ]


def test_without_a_healthy_run_beside_it_a_tenth_of_the_rate_is_proposed(tmp_path):
    found = answers(examine(write_failed(tmp_path / "elsewhere", lr=0.5)))
    train = commands(found["fix"])[2]
    assert train.endswith(f"config.toml --optimizer.lr 0.05 --run-dir {tmp_path}/elsewhere")
    assert "healthy" not in text(found["cause"])


@pytest.mark.parametrize(("status", "said"), [("interrupted", "stopped by a signal"), ("running", "left no word")])
def test_a_run_that_was_stopped_or_killed_has_no_fault_and_goes_on(tmp_path, status, said):
    run = write_run(tmp_path, "points/001", metrics={"status": status})
    found = answers(examine(run))
    assert said in text(found["what"])
    assert "step 60" in text(found["what"])
    assert commands(found["fix"]) == [f"loopwright resume {run}"]


def test_a_missed_claim_is_told_and_more_steps_are_proposed_where_it_still_got_better(tmp_path):
    claim = {"metric": "test.best.loss", "at_most": 0.05, "reached": 0.11, "holds": False}
    found = answers(examine(write_run(tmp_path, "points/001", metrics={"claims": [claim]})))
    assert "missed 1 of its claims: test.best.loss at most 0.05, reached 0.11" in text(found["what"])
    assert "The doctor names no cause" in found["cause"].lack
    assert "still getting better at step 60" in text(found["fix"])
    assert commands(found["fix"])[1].endswith(f"--epochs 12 --run-dir {tmp_path}")


def test_a_healthy_run_is_told_to_be_so_and_is_its_own_example(tmp_path):
    found = answers(examine(write_run(tmp_path / "runs", "points/001"), []))
    assert text(found["what"]).startswith("Nothing failed: 60 steps")
    assert {one.run for one in found["healthy"].statements} == {str(tmp_path / "runs/points/001")}
    assert "evidence" not in found


def test_a_curve_that_is_not_finite_is_told_with_its_step(tmp_path):
    losses = [1.0] * 10 + [float("nan")] * 2 + [1.0] * 10
    found = answers(examine(write_run(tmp_path, "points/001", losses)))
    assert "The training loss is no number in 2 of 22 records, first at step 11." in text(found["evidence"])
    assert "non-finite" in text(found["cause"])


def test_a_run_that_overfits_is_no_example_of_health_where_there_is_a_better_one(tmp_path):
    write_run(tmp_path, "points/001", validations=OVERFITTED_VAL)
    write_run(tmp_path, "other/001")
    found = answers(examine(tmp_path / "points/001"))
    assert {one.run for one in found["healthy"].statements} == {str(tmp_path / "other/001")}


def test_the_members_of_a_study_that_failed_are_named_with_the_way_to_their_own_post_mortem(tmp_path):
    run = tmp_path / "points-scale/001"
    write_run(tmp_path, "points-scale/001", [], {})
    (run / "env.json").write_text(json.dumps({"members": ["a", "b"]}))
    failed = write_failed(run / "members", "b/001")
    members = [{"experiment": "a", "status": "finished"}, {"experiment": "b", "status": "failed", "run": str(failed)}]
    (run / "metrics.json").write_text(json.dumps({"status": "finished", "members": members}))
    found = answers(examine(run))
    assert "A study, finished: 1 of 2 members finished, 1 failed (b)." in text(found["what"])
    assert commands(found["what"]) == [f"loopwright postmortem {failed}"]
    assert str(failed) in {one.run for one in found["divergence"].statements}


def test_of_a_sweep_that_was_stopped_what_is_left_is_no_failure(tmp_path):
    run = tmp_path / "points-sweep/001"
    write_run(tmp_path, "points-sweep/001", [], {})
    (run / "sweep.toml").write_text("format = 1\n")
    (run / "env.json").write_text(json.dumps({"members": ["1-lr=1", "2-lr=2", "3-lr=3", "4-lr=4"]}))
    failed = write_failed(run / "members", "2-lr=2/001")
    members = [
        {"experiment": "points", "name": "1-lr=1", "status": "finished"},
        {"experiment": "points", "name": "2-lr=2", "status": "failed", "run": str(failed)},
        {"experiment": "points", "name": "3-lr=3", "status": "interrupted", "run": str(run / "members/3-lr=3/001")},
        {"name": "4-lr=4", "status": "not begun", "run": None},
    ]
    (run / "metrics.json").write_text(json.dumps({"status": "interrupted", "members": members}))
    found = answers(examine(run))
    assert text(found["what"]).startswith(
        "A sweep, interrupted: 1 of 4 members finished, 1 failed (2-lr=2), 2 left to be done."
    )
    assert commands(found["what"]) == [f"loopwright postmortem {failed}", f"loopwright resume {run}"]


def test_the_fault_that_hurt_most_and_its_part_of_the_loop_come_first(tmp_path):
    run = write_run(tmp_path / "runs", "points/001")
    lab = write_lab(tmp_path / "a", {"no-zero-grad": {"val": 0.9}, "double-softmax": {"val": 0.4, "number": 27}})
    said = answers(examine(run, [lab]))["most-important"].statements
    assert said[0].text.startswith(
        "zero_grad. Of 2 faults that were tried on points 2 bite, and no-zero-grad hurt most"
    )
    assert "from 0.2000 to 0.9000 (medians of 2 seeds), p = 0.03" in said[0].text
    assert said[1].text.startswith("The loss and its masks: double-softmax")


def test_a_fault_that_leaves_no_number_hurts_more_than_any_number(tmp_path):
    run = write_run(tmp_path / "runs", "points/001")
    broke = {"loss": 1e9, "broke": "step 21: loss inf; stopped", "number": 47}
    lab = write_lab(tmp_path / "a", {"no-zero-grad": {"val": 1e6}, "diverge": broke})
    said = answers(examine(run, [lab]))["most-important"].statements
    assert said[0].text.startswith("The learning rate.")
    assert "ended 2 of 2 seeds without a number (step 21: loss inf)" in said[0].text


def test_larger_is_better_where_the_metric_is_an_accuracy(tmp_path):
    run = write_run(tmp_path / "runs", "points/001")
    lab = write_lab(tmp_path / "a", {"worse": {"val": 0.1}, "better": {"val": 0.19}})
    path = lab / "results.json"
    path.write_text(path.read_text().replace('"metric": "loss"', '"metric": "accuracy"'))
    assert "worse hurt most" in answers(examine(run, [lab]))["most-important"].statements[0].text


def test_where_to_look_first_tells_what_the_training_loss_hides(project):
    said = text(answers(examine(Path("runs/points/002")))["look-first"])
    assert "named the right cause first in 3 of 3 faults that bite, at step 2 in the median" in said
    assert "the training loss in 2" in said
    assert "with 1 of 3 faults that bite it ends as low as without. With no-zero-grad it ended at 0.1000" in said
    assert "lr-too-large was seen at step 1 of 10" in said


def test_of_a_fault_that_was_tried_twice_the_newest_lab_counts(tmp_path):
    run = write_run(tmp_path / "runs", "points/001")
    old = write_lab(tmp_path / "lab/points/001", {"no-zero-grad": {"val": 5.0}})
    os.utime(old / "results.json", (1, 1))
    write_lab(tmp_path / "lab/points/002", {"no-zero-grad": {"val": 0.7}})
    said = answers(examine(run, [tmp_path / "lab"]))["most-important"].statements
    assert [one.run for one in said] == [str(tmp_path / "lab/points/002")]
    assert "to 0.7000" in said[0].text


def test_what_is_no_run_is_refused_in_a_line(tmp_path):
    with pytest.raises(RunError, match="no such run"):
        examine(tmp_path / "nothing")
    with pytest.raises(RunError, match=r"not a run, it has none of config\.toml"):
        examine(tmp_path)
    run = write_run(tmp_path, "points/001")
    (run / "metrics.json").unlink()
    (run / "metrics.json").symlink_to("/etc/hostname")
    with pytest.raises(RunError, match="a link out of the run"):
        examine(run)


def test_commands_that_make_evidence_put_it_where_it_is_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = write_run(Path("other runs"), "points/001", [1.0], {}, metrics={"status": "interrupted"})
    found = answers(examine(run))
    assert commands(found["healthy"]) == ["loopwright train points --run-dir 'other runs'"]
    assert commands(found["overfitting"]) == ["loopwright train points --run-dir 'other runs'"]


@pytest.mark.parametrize(
    ("evidence", "rate"),
    [
        ("the update of step 1 is 1.86e+03 times as large as the weights (median over 4 parameters); rate 50", "3e-05"),
        ("updates are 0.5 of the weights' norm (median of the first 4 steps), the loss went up; rate 2", "0.004"),
        ("the update is large", "0.1"),
    ],
)
def test_where_updates_were_measured_the_rate_of_usual_ones_is_proposed(tmp_path, evidence, rate):
    run = write_failed(tmp_path / "runs", lr=50.0)
    said = json.loads((run / "findings.json").read_text())
    said["findings"][0]["evidence"] = evidence
    (run / "findings.json").write_text(json.dumps(said))
    assert commands(answers(examine(run))["fix"])[1] == f"loopwright check points --seed 1 --optimizer.lr {rate}"


def test_evidence_of_another_experiment_is_said_to_be_that(tmp_path):
    write_run(tmp_path / "runs", "line/001")
    found = answers(examine(write_failed(tmp_path / "runs")))
    assert text(found["healthy"]).startswith("Of points no run is healthy; this is line.")


def test_claims_that_were_dropped_are_not_called_none(tmp_path):
    metrics = {"claims": [], "claims_dropped": "the budget was changed"}
    found = answers(examine(write_run(tmp_path / "runs", "points/001", metrics=metrics), []))
    assert "its claims are not judged (the budget was changed)" in text(found["what"])


def test_faults_of_a_lab_with_too_few_seeds_are_not_said_to_be_harmless(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_lab(tmp_path / "lab/points/001", {"no-zero-grad": {"val": 0.9, "number": 37}})
    place = tmp_path / "lab/points/001/results.json"
    content = json.loads(place.read_text())
    for fault in content["faults"]:
        fault["bites"] = False
    place.write_text(json.dumps(content))
    found = answers(examine(write_run(tmp_path / "runs", "points/001")))
    many = len(content["faults"])
    lack = f"No evidence yet: {many} fault{'s' * (many > 1)} tried in labs, none seen to bite, {many} with fewer seeds"
    assert found["most-important"].lack.startswith(lack)


def test_what_a_member_of_a_sweep_teaches_is_tried_outside_of_the_sweep(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    members = Path("my runs/points-sweep/001/members")
    (members.parent / "logs").mkdir(parents=True)
    failed = write_failed(members, "001-lr=1e5/001")
    found = answers(examine(failed))
    again, beside = commands(found["fix"])[2:]
    assert again.endswith("--run-dir 'my runs'")
    assert beside.endswith("001' 'my runs/001-lr=1e5/latest'")


def test_a_run_whose_loss_blew_up_is_no_healthy_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blown = [0.7, 4e4, 3e6, 9e5, 2e5, 3e4, 4e3, 900.0, 300.0, 150.0, 121.0]
    run = write_run(Path("runs"), "points/001", blown, {11: 2e9})
    (run / "findings.json").unlink()
    found = answers(examine(run))
    assert found["healthy"].lack
    assert "lr-too-large" in text(found["cause"])
    assert found["divergence"].statements


def test_a_run_that_no_doctor_looked_at_is_not_said_to_have_no_warnings(tmp_path):
    run = write_run(tmp_path / "runs", "points/001")
    (run / "findings.json").write_text("null")
    assert text(answers(examine(run))["what"]).endswith("no doctor looked at it.")
