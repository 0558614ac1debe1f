from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from loopwright.auditing import CHECKS, Audit, Check, Finding, as_table, audit, ending, named, shortened
from loopwright.auditing.audit import known_checks, workplace
from loopwright.auditing.checks import listens, resumed
from loopwright.auditing.rescan import Scans, Spread, rescanning, sizes, spread, tolerance
from loopwright.auditing.trial import wait_for_checkpoint
from loopwright.auditing.workspace import Workspace
from loopwright.core import Plateau
from loopwright.core.evaluate import evaluate
from loopwright.errors import Interrupted, LoopwrightError, UsageError
from loopwright.processes import Ended, run_process, undisturbed
from loopwright.testing import assert_same_bits, reference_of, unused
from tests.auditing import broken
from tests.toys import Toy, toy

BROKEN = "tests.auditing.broken"


def failing(experiment, *rows: str, tmp_path: Path) -> str:
    """What is said of an experiment that must not pass."""
    with pytest.raises(AssertionError) as raised:
        assert_same_bits(experiment, only=rows, tmp_path=tmp_path)
    assert (tmp_path / "audit/baseline").is_dir()
    return str(raised.value)


def test_an_experiment_that_keeps_the_promises_passes(tmp_path):
    assert_same_bits(broken.fine, only=["sigterm"], steps=9, tmp_path=tmp_path)
    runs = sorted(path.name for path in (tmp_path / "audit").iterdir() if path.is_dir())
    assert runs == ["baseline", "sigterm"]
    history = (tmp_path / "audit/sigterm/fine/001/logs/history.jsonl").read_text()
    assert '"resumed"' in history


@pytest.mark.slow
def test_noise_from_a_clock_is_found_by_running_twice(tmp_path):
    said = failing(f"{BROKEN}:noisy", "twice", tmp_path=tmp_path)
    verdict, head, *_ = said.splitlines()
    assert verdict == f"{BROKEN}:noisy: NOT the same: twice"
    assert head.startswith("check ")
    assert "DIFFERS: history, " in said.replace("\n", " ")
    assert f"loopwright bisect {tmp_path}/audit/baseline/noisy/001 {tmp_path}/audit/twice/noisy/001" in said


@pytest.mark.slow
@pytest.mark.parametrize("row", ["sigterm", "sigkill"])
def test_memory_outside_the_state_is_found_by_stopping(row, tmp_path):
    assert "DIFFERS" in failing(broken.forgetful, row, tmp_path=tmp_path)


@pytest.mark.slow
def test_an_evaluation_that_changes_the_model_is_found_by_leaving_it_out(tmp_path):
    said = failing(broken.meddling, "twice", "silent", tmp_path=tmp_path)
    assert "NOT the same: silent\n" in said
    assert "model.0.weight: " in " ".join(said.split())
    assert said.endswith("an attribute or a module-level variable; let it change nothing")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_killed_run_goes_on_from_a_checkpoint_and_the_table_says_from_which(seed, tmp_path):
    experiment, origin = named(f"{BROKEN}:fine", steps=3 + seed)
    found = audit(experiment, origin, only=["sigkill"], seed=seed, keep=tmp_path / "kept", search=[os.getcwd()])
    (check,) = found.checks
    assert check.finding.verdict == "same"
    assert re.fullmatch(r"SIGKILL .* ms after step \d of \d, resumed from step [1-9]", check.finding.how)


@pytest.mark.slow
def test_a_run_that_began_again_proves_nothing_of_a_resume(tmp_path):
    experiment, origin = named(f"{BROKEN}:fine", steps=3)
    space = Workspace(experiment, origin, tmp_path, 0, [os.getcwd()])
    space.trial("stop", "sigterm", experiment, "--step", "2", expected=128 + signal.SIGTERM)
    for path in (tmp_path / "sigterm").rglob("*.pt"):
        path.unlink()
    finding = resumed(space, "sigterm", "stopped")
    assert (finding.how, finding.verdict) == ("stopped, begun again", "not applicable")
    assert "try another --audit-seed" in finding.detail


def test_a_kill_waits_for_a_checkpoint_of_a_later_step_than_0(tmp_path):
    directory = tmp_path / "toy/001/checkpoints"
    directory.mkdir(parents=True)
    (directory / "step-00000000.pt").touch()
    waiting = threading.Thread(target=wait_for_checkpoint, args=[tmp_path])
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    (directory / "step-00000003.pt").touch()
    waiting.join(60)
    assert not waiting.is_alive()


@pytest.mark.slow
def test_a_dataset_that_depends_on_the_worker_is_found(tmp_path):
    said = failing(broken.marked, "loader", tmp_path=tmp_path)
    assert "DIFFERS: 1 loader worker: history, step 1" in " ".join(said.split())


@pytest.mark.slow
def test_a_task_that_depends_on_how_its_process_was_started_is_found(tmp_path):
    assert "DIFFERS: 1 training worker:" in " ".join(
        failing(broken.launched_differs, "workers", tmp_path=tmp_path).split()
    )


@pytest.mark.slow
def test_a_difference_that_strictness_makes_is_found_and_a_refused_operation_is_named(tmp_path):
    said = failing(broken.strict_differs, "deterministic", tmp_path=tmp_path / "strict")
    assert "DIFFERS: history, step" in " ".join(said.split())
    experiment, origin = named(f"{BROKEN}:undetermined")
    found = audit(experiment, origin, only=["deterministic"], keep=tmp_path / "refused", search=[os.getcwd()])
    assert [(row.finding.verdict, row.finding.detail) for row in found.checks] == [
        ("refused", "op put_ has no deterministic form")
    ]
    assert not found.broken


@pytest.mark.slow
def test_a_metric_that_depends_on_the_batch_size_is_found_and_named(tmp_path):
    said = " ".join(failing(broken.perplexed, "evaluation", tmp_path=tmp_path).split())
    assert "DIFFERS: perplexity is" in said
    assert "in batches of 1024" in said
    assert said.endswith("next evaluation: average over samples, not over batches")


@pytest.mark.slow
def test_every_row_is_the_same_for_an_experiment_that_keeps_the_promises(tmp_path):
    experiment, origin = named(f"{BROKEN}:fine")
    found = audit(experiment, origin, seed=3, search=[os.getcwd()])
    assert {row.name: row.finding.verdict for row in found.checks} == dict.fromkeys(CHECKS, "same")
    assert not found.directory.exists()


@pytest.mark.slow
def test_what_a_row_cannot_prove_it_says():
    experiment, origin = named(f"{BROKEN}:undetermined", steps=1)
    rows = ["sigterm", "sigkill", "loader", "evaluation"]
    found = audit(replace(experiment, batch_size=52), origin, only=rows, search=[os.getcwd()])
    assert {row.finding.verdict for row in found.checks} == {"not applicable"}
    assert [row.finding.detail.partition(",")[0] for row in found.checks] == [
        "a run of one step has no middle; give --steps 2 or more",
        "a run of 1 step has no checkpoint in its middle; give --steps 3 or more",
        "the task has no field num_workers",
        "the task evaluates whole splits",
    ]


@pytest.mark.slow
def test_arithmetic_that_cannot_be_split_is_not_applicable_and_its_module_is_named():
    experiment, origin = named(f"{BROKEN}:counting")
    (check,) = audit(experiment, origin, only=["workers"], search=[os.getcwd()]).checks
    assert check.finding.verdict == "not applicable"
    assert "passes" in check.finding.detail


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "verdict", "said"),
    [
        ("crowded", "not applicable", "it does not train in shards: TypeError: too few to compare"),
        ("infinite", "FAILED", "step 1: loss cross_entropy nan"),
        ("refusing_others", "FAILED", "ValueError: not among others"),
    ],
)
def test_of_workers_only_shards_that_nobody_asked_for_may_fail(name, verdict, said):
    experiment, origin = named(f"{BROKEN}:{name}")
    (check,) = audit(experiment, origin, only=["workers"], search=[os.getcwd()]).checks
    assert check.finding.verdict == verdict
    assert check.finding.detail.startswith(said)


def test_what_was_asked_for_and_cannot_be_proved_does_not_pass(tmp_path):
    (tmp_path / "audit").mkdir()  # of a call before, in the same test
    with pytest.raises(AssertionError, match=r"(?s)not proved: loader\n.*the task has no field num_workers"):
        assert_same_bits(f"{BROKEN}:counting", steps=2, only=["loader"], tmp_path=tmp_path)
    assert (tmp_path / "audit-2/baseline").is_dir()
    assert unused(tmp_path) == tmp_path / "audit-3"


def test_an_experiment_that_does_not_train_is_refused_with_its_own_message(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(LoopwrightError, match=r"KeyError: 'none' \(.*/broken\.py:\d+\)") as raised:
        assert_same_bits(broken.diverging, only="twice")
    (directory,) = tmp_path.iterdir()
    assert "KeyError: 'none'" in (directory / "baseline.err").read_text()
    assert raised.value.__notes__ == [f"log    {directory}/baseline.err", f"runs   {directory} (may be deleted)"]


def test_a_stop_during_a_check_is_no_finding(tmp_path):
    told = []

    def stopped(name: str, number: int, total: int) -> None:
        told.append(name)
        if told[-2:] == ["twice", "twice"]:  # the check, and the run in it
            raise Interrupted("stopped", signal.SIGTERM)

    experiment, origin = named(f"{BROKEN}:fine", steps=2)
    with pytest.raises(Interrupted, match="stopped"):
        audit(experiment, origin, only=["twice"], keep=tmp_path / "kept", search=[os.getcwd()], watch=stopped)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (toy(), "received an Experiment;"),
        (lambda: toy(), "received <lambda>;"),
        (toy, None),
        (partial(toy), "partial;"),
    ],
)
def test_what_another_process_cannot_find_is_refused(given, said):
    if said is None:
        assert reference_of(given) == "tests.toys:toy"
        return
    with pytest.raises(UsageError, match=f"{said} its processes need a name"):
        assert_same_bits(given)


def test_a_function_inside_of_another_is_refused():
    def inner():
        return toy()

    with pytest.raises(UsageError, match=r"<locals>\.inner; its processes need a name"):
        assert_same_bits(inner)


def test_one_check_may_be_named_by_a_str():
    with pytest.raises(UsageError, match="'twise': not a check of an audit, did you mean 'twice'"):
        assert_same_bits("points", only="twise")


def test_an_unknown_row_and_a_study_are_refused():
    with pytest.raises(UsageError, match="did you mean 'sigkill'"):
        known_checks(["sigkil"])
    assert known_checks(["evaluation", "twice"]) == ["twice", "evaluation"]
    assert known_checks([]) == list(CHECKS)
    with pytest.raises(UsageError, match="is a study"):
        named("points-scale")


def test_a_directory_that_holds_something_is_not_used(tmp_path):
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(UsageError, match="not empty"), workplace(tmp_path):
        pass


def test_a_temporary_directory_is_gone_after_an_error():
    def fails() -> None:
        with workplace(None) as directory:
            made.append(directory)
            assert directory.is_dir()
            raise ZeroDivisionError

    made: list[Path] = []
    with pytest.raises(ZeroDivisionError):
        fails()
    assert not made[0].exists()


def test_a_short_run_passes_the_end_of_a_short_epoch_and_evaluates_and_saves_on_the_way():
    def lengths(experiment, *given):
        short = shortened(experiment, given)
        return short.steps, short.eval_every, short.save_every

    base = toy(epochs=1000, eval_every=500)  # an epoch has 7 steps
    assert lengths(base) == (24, 7, 5)
    assert lengths(replace(base, batch_size=2)) == (30, 8, 6)  # 26 steps
    assert lengths(replace(base, task=Toy(n=1000), batch_size=2)) == (24, 7, 5)  # 500 steps
    assert lengths(replace(base, epochs=2)) == (14, 4, 2)
    assert lengths(replace(base, steps=240), "steps") == (240, 70, 50)
    assert lengths(replace(base, steps=2), "steps", "eval_every") == (2, 500, 1)
    assert shortened(base, ["epochs"]).cadence().total == 7000


def test_a_schedule_or_patience_that_looks_at_evaluations_is_known():
    assert not listens(toy())
    assert listens(toy(patience=3))
    assert listens(toy(schedule=Plateau()))


@dataclass(frozen=True)
class Property(broken.Loaded):
    """The loaded toy with a plain property for its data."""

    @property
    def data(self):
        return made


made = broken.Loaded().data


@pytest.mark.parametrize("task", [broken.Loaded(), Property()])
@pytest.mark.parametrize("size", [1, 7, 52, None])
def test_a_task_can_be_evaluated_with_any_batch_size(task, size):
    whole = task.data
    scans = Scans(whole, size)
    other = rescanning(task, scans)
    model = task.model()
    assert isinstance(other, type(task))
    assert other.data.size("val") == 52
    assert isinstance(other.data, type(whole))
    assert max(len(batch) for batch in other.data.scan("val")) == (size or 52)
    assert evaluate(other, model, "val")["loss"] == pytest.approx(evaluate(task, model, "val")["loss"], rel=1e-6)
    assert scans.asked == [1024, 1024]
    assert max(len(batch) for batch in task.data.scan("val")) == 52


def test_data_that_is_kept_from_before_is_not_what_is_scanned():
    task = broken.Loaded()
    assert task.data is task.data
    assert [len(batch) for batch in rescanning(task, Scans(task.data, 30)).data.scan("val")] == [30, 22]


def test_a_task_that_does_not_scan_is_seen_not_to():
    scans = Scans(Toy().data, 7)
    evaluate(rescanning(Toy(), scans), Toy().model(), "val")
    assert scans.asked == []


def test_a_mean_of_batch_perplexities_is_beyond_rounding_and_a_right_loss_is_not():
    def results(task):
        model = task.model()
        return {
            str(size): evaluate(rescanning(task, Scans(task.data, size)), model, "val") for size in (52, *sizes(52))
        }

    found = spread(results(broken.Perplexed()), 1e-5, 52)
    assert found.broken.startswith("perplexity is ")
    assert found.broken.endswith("in batches of 1")
    right = spread(results(broken.Loaded()), 1e-5, 52)
    assert not right.broken
    assert right.largest < 1e-6


@pytest.mark.parametrize(
    ("value", "broken_by"),
    [(1.0, ""), (1.00001, ""), (1.0001, "x is 1 in batches of 9, 1.0001 in batches of 2"), (float("nan"), "x is 1")],
)
def test_rounding_is_told_from_a_difference(value, broken_by):
    found = spread({"9": {"x": 1.0}, "2": {"x": value}}, 1e-5, 9)
    assert found.broken.startswith(broken_by)
    assert bool(found.broken) == bool(broken_by)


def test_equal_metrics_have_no_spread_and_missing_ones_are_a_difference():
    nan = float("nan")
    assert spread({"9": {"x": nan, "y": 2.0}, "1": {"x": nan, "y": 2.0}}, 1e-5, 9) == Spread()
    assert spread({"9": {"x": 1.0}, "1": {"y": 1.0}}, 1e-5, 9).broken == "batches of 1: has or lacks x, y"


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (0.9, 0.9 - 1 / 360, ": 1 of 360 samples; rounding may have decided a tie"),
        (300 / 360, 1.0, ": 60 of 360 samples"),
        (0.12345, 0.5, ""),
        (-0.5, 0.5, ""),
        (0.5, float("nan"), ""),
    ],
)
def test_of_a_share_of_the_samples_it_is_said_how_many_differ(a, b, said):
    told = f"accuracy is {a:.9g} in batches of 64, {b:.9g} in batches of 1"
    assert spread({"64": {"accuracy": a}, "1": {"accuracy": b}}, 1e-5, 360).broken == told + said


def test_small_batches_are_left_out_where_a_split_is_large():
    assert sizes(1) == [1]
    assert sizes(7) == [1, 7]
    assert sizes(100) == [1, 7, 64, 100]
    assert sizes(10_000) == [7, 64, 10_000]
    assert sizes(1_000_000) == [1_000_000]


def test_the_tolerance_is_single_precisions_but_for_tf32():
    assert tolerance("fp32", "cuda") == tolerance("fp32-fast", "cpu") == 1e-5
    assert tolerance("fp32-fast", "cuda:1") == 1e-2


def process(code: str, output: Path, limit: float, grace: float = 0) -> Ended:
    return run_process([sys.executable, "-c", code], output=output, environment={}, limit=limit, grace=grace)


def test_a_process_that_hangs_is_ended_with_its_children_and_that_is_said(tmp_path):
    child = "import subprocess, sys, time; print(subprocess.Popen(['sleep', '1000']).pid, flush=True); time.sleep(1000)"
    start = time.monotonic()
    with pytest.raises(LoopwrightError, match="took longer than 1 s"):
        process(child, tmp_path / "hangs", limit=1)
    assert time.monotonic() - start < 30
    pid = (tmp_path / "hangs.out").read_text().strip()
    state = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True).stdout.strip()
    assert state in ("", "Z", "Z+")


def test_a_process_with_workers_of_its_own_may_end_them_itself(tmp_path):
    code = "import signal, time; signal.signal(15, lambda *a: (print('ended', flush=True), exit())); time.sleep(1000)"
    with pytest.raises(LoopwrightError, match="took longer"):
        process(code, tmp_path / "asked", limit=2, grace=30)
    assert (tmp_path / "asked.out").read_text() == "ended\n"


def test_a_signal_waits_until_a_process_that_is_started_is_noted():
    steps = []

    def interrupted() -> None:
        with undisturbed():
            signal.raise_signal(signal.SIGINT)
            steps.append("noted")
        steps.append("not reached")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert steps == ["noted"]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_the_end_of_a_process_is_told_with_the_line_that_matters(tmp_path):
    assert process("exit(3)", tmp_path / "silent", limit=60).complaint == "exit code 3"
    raised = process("raise ValueError('no')", tmp_path / "raised", limit=60)
    assert (raised.code, raised.complaint) == (1, "ValueError: no")
    table = "loopwright: --lr: no\\nValueError: late\\n---"
    assert process(f"import sys; sys.exit('{table}')", tmp_path / "ours", limit=60).complaint == "--lr: no"


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        ("from loopwright.cli.main import main; main(['train', 'tests/auditing/broken.py:misspelled'])", True),
        ("from loopwright.cli.main import main; main(['train', 'nothing'])", False),
        ("import sys; sys.stderr.write('loopwright: loss nan\\n'); sys.exit(3)", False),
        ("import sys; sys.stderr.write('Traceback (most recent call last):\\nloopwright: nan\\n'); sys.exit(3)", False),
        ("import os; os.abort()", False),
    ],
)
def test_an_exception_of_the_tasks_own_is_told_from_other_ends(tmp_path, code, raised):
    assert process(code, tmp_path / "process", limit=60).raised is raised


def an_audit(*findings: Finding) -> Audit:
    checks = (Check(name, finding, 1.25) for name, finding in zip(CHECKS, findings, strict=False))
    return Audit("toy", 24, 0, tuple(checks), Path("kept"))


@pytest.mark.parametrize("width", [80, 120])
def test_a_table_is_not_wider_than_the_terminal_and_loses_nothing(width):
    long = Finding("run " * 20 + "twice", "DIFFERS", "model.0.weight: " + "very " * 40 + "different")
    table = as_table(an_audit(Finding("run twice", "same", "bits, weights 01234567"), long), width)
    assert max(map(len, table.splitlines())) <= width
    assert table.split().count("very") == 40
    assert table.split().count("run") == 21
    assert "same bits, weights" in table


def test_the_ending_says_what_differs_and_how_to_go_on():
    same, other = Finding("how", "same", "bits"), Finding("how", "DIFFERS", "x", pair=(Path("a"), Path("b")))
    assert ending(an_audit(same, same))[-1] == "toy: 2 of 2 checks the same, none differs"
    assert ending(an_audit(same, other))[1:] == [
        "toy: NOT the same: sigterm",
        "runs   kept (may be deleted)",
        "next   loopwright bisect a b",
    ]
    crashed = Finding("how", "FAILED", "ValueError: no (mine.py:3)", further="log    kept/twice.err")
    assert ending(an_audit(crashed))[-1] == "log    kept/twice.err"
    refused = Finding("how", "refused", "op put_"), Finding("how", "not applicable", "why")
    assert (
        ending(an_audit(same, *refused))[-1]
        == "toy: 1 of 3 checks the same, none differs; not proved: sigterm, sigkill"
    )
    assert an_audit(Finding("how", "FAILED", "x")).broken
