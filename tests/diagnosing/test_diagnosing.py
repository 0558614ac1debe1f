"""Findings from records alone: ours, and those of other tools."""

from __future__ import annotations

import json
import math

import pytest

from loopwright.cli.main import main
from loopwright.diagnosing import Curves, judge, read_curves
from loopwright.diagnosing.curves import kind_of
from loopwright.errors import UsageError


def falling(steps: int, start: float = 2.0, end: float = 0.1) -> list[tuple[float, float]]:
    return [(step, end + (start - end) * math.exp(-4 * step / steps)) for step in range(steps)]


def causes(curves: Curves, *, info: bool = False) -> list[str]:
    return [finding.cause for finding in judge(curves) if info or finding.severity != "info"]


def test_a_healthy_record_is_left_alone():
    rates = [(step, 1e-3 * (1 - step / 100)) for step in range(100)]
    val = [(step, value + 0.1) for step, value in falling(100)[::10]]
    accuracy = [(step, 0.5 + step / 300) for step in range(0, 100, 10)]
    assert causes(Curves("r", falling(100), val, accuracy, rates, [(s, 1.0) for s in range(100)]), info=True) == []


@pytest.mark.parametrize(
    ("curves", "cause"),
    [
        (Curves("r", loss=[*falling(30), (30, math.nan), (31, math.nan)]), "non-finite"),
        (Curves("r", loss=[(step, 2.0 * 1.2**step) for step in range(30)]), "lr-too-large"),
        (Curves("r", loss=[(step, 2.0) for step in range(60)], rate=[(0, 1e-8), (59, 1e-8)]), "lr-too-small"),
        (Curves("r", falling(100), rate=[(s, 1e-3 if s < 20 else 1e-9) for s in range(100)]), "schedule-too-fast"),
        (Curves("r", falling(40), norm=[(s, 300.0) for s in range(40)], clip_norm=1.0), "clip-too-low"),
        (Curves("r", falling(40), norm=[(s, 1.0 * 2.0**s) for s in range(40)]), "exploding-gradients"),
        (Curves("r", falling(40), val_loss=[(10 * k, 1.9 * k) for k in range(1, 8)]), "metric-not-reset"),
        (Curves("r", falling(40), accuracy=[(10 * k, 0.1) for k in range(8)]), "constant-prediction"),
    ],
)
def test_what_a_curve_tells_is_named(curves, cause):
    assert causes(curves)[0] == cause


def test_overfitting_is_said_with_its_onset_and_is_no_alarm():
    val = [(10 * k, 1.0 - 0.1 * k if k < 5 else 0.5 + 0.1 * (k - 5)) for k in range(12)]
    found = judge(Curves("r", falling(120), val_loss=val))
    assert [(finding.cause, finding.severity, finding.step) for finding in found] == [("overfitting", "info", 50)]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("loss", "loss"),
        ("train_loss", "loss"),
        ("train/loss", "loss"),
        ("val_loss", "val_loss"),
        ("eval_loss", "val_loss"),
        ("validation loss", "val_loss"),
        ("val_acc", "accuracy"),
        ("eval_accuracy", "accuracy"),
        ("lr", "rate"),
        ("learning_rate", "rate"),
        ("grad_norm", "norm"),
        ("lost", None),
        ("time", None),
    ],
)
def test_columns_are_known_by_the_names_people_give_them(name, kind):
    assert kind_of(name) == kind


def test_a_csv_of_losses_is_read(tmp_path):
    rows = ["epoch,train_loss,val_loss", *(f"{step},{value},{value + 1}" for step, value in falling(20))]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(rows))
    curves = read_curves(path)
    assert len(curves.loss) == len(curves.val_loss) == 20
    assert curves.loss == falling(20)


def test_a_jsonl_with_a_torn_last_line_is_read(tmp_path):
    path = tmp_path / "log.jsonl"
    lines = [json.dumps({"step": int(step), "train": {"loss": value}, "lr": 0.1}) for step, value in falling(20)]
    path.write_text("\n".join([*lines, '{"step": 2']))
    assert len(read_curves(path).loss) == 20


def test_the_trainers_state_is_read(tmp_path):
    log = [{"step": int(s), "loss": v, "grad_norm": 1.0, "learning_rate": 1e-4} for s, v in falling(20)]
    log.append({"step": 20, "eval_loss": 0.5, "eval_accuracy": 0.9})
    folder = tmp_path / "checkpoint-20"
    folder.mkdir()
    (folder / "trainer_state.json").write_text(json.dumps({"log_history": log}))
    curves = read_curves(tmp_path)
    assert (len(curves.loss), len(curves.rate), len(curves.norm)) == (20, 20, 20)
    assert curves.val_loss == [(20, 0.5)]
    assert curves.accuracy == [(20, 0.9)]


def test_event_files_are_read(tmp_path):
    pytest.importorskip("tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        for step, value in falling(20):
            writer.add_scalar("train/loss", value, int(step))
            writer.add_scalar("loss/val", value + 1, int(step))
    curves = read_curves(tmp_path)
    assert len(curves.loss) == len(curves.val_loss) == 20


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "it is empty"), ("a,b\n1,2\n", "no loss in it"), ("\x00\x01", "no loss in it"), ("{}", "no loss in it")],
)
def test_what_cannot_be_read_is_said_in_a_line(tmp_path, content, said):
    path = tmp_path / "log.csv"
    path.write_text(content)
    with pytest.raises(UsageError, match=said):
        read_curves(path)


def test_what_is_not_there_and_what_is_no_record_is_said(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        read_curves(tmp_path / "nothing")
    with pytest.raises(UsageError, match="neither a run"):
        read_curves(tmp_path)


def test_the_verb_reads_a_run_and_says_what_was_seen_while_it_ran(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "points", "--steps", "60", "--quiet", "--lr", "1e-12", "--schedule", "Constant"]) in (0, 1)
    capsys.readouterr()
    assert main(["diagnose", "runs/points/latest"]) == 1
    out = capsys.readouterr().out
    assert "seen while it ran: error: lr-too-small" in out
    assert "not in the record: nothing" in out
    assert main(["diagnose", "runs/points/latest", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [one["cause"] for one in told["watched"]] == ["lr-too-small"]


def test_a_loss_that_has_arrived_is_not_stuck():
    loss = [(step, 1.0 if step < 4 else 1e-4) for step in range(60)]
    assert causes(Curves("a run", loss=loss), info=True) == []


def test_the_step_that_a_run_could_not_make_is_named_from_its_summary(tmp_path):
    (tmp_path / "logs").mkdir()
    record = {"kind": "step", "step": 1, "lr": 1e30, "loss": {"total": 2.4}, "grad_norm": 2.3}
    (tmp_path / "logs/history.jsonl").write_text(json.dumps(record) + "\n")
    reason = "step 2: loss mse inf, gradient norm inf; stopped before the update"
    (tmp_path / "metrics.json").write_text(json.dumps({"status": "failed", "reason": reason}))
    (finding,) = judge(read_curves(tmp_path))
    assert (finding.cause, finding.step) == ("non-finite", 2)
    assert finding.evidence.endswith("losses before it: 2.4")
    (tmp_path / "metrics.json").write_text(json.dumps({"status": "failed", "reason": "a full disk"}))
    assert judge(read_curves(tmp_path)) == []
