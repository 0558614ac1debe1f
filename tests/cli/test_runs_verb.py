"""loopwright runs, note, tag and archive, as they are typed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from loopwright.cli.main import main
from loopwright.report.record import Record
from tests.catalogue.making import CONFIG, write_run

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs below runs/ of the current directory."""
    root = tmp_path / "runs"
    for number, (seed, lr, accuracy) in enumerate([(0, 1e-3, 0.9), (1, 1e-3, 0.94), (0, 1e-2, 0.8)], start=1):
        write_run(root, f"cnn/{number:03d}", seed=seed, lr=lr, accuracy=accuracy)
    write_run(root, "mlp/001", accuracy=0.7, loss="nan")
    write_run(root, "mlp/002", status="failed")
    (root / "cnn" / "latest").symlink_to("003")
    monkeypatch.chdir(tmp_path)
    return root


def said(capsys: Capture, *arguments: str) -> list[str]:
    """The lines on stdout."""
    assert main(list(arguments)) == 0
    return capsys.readouterr().out.splitlines()


def refused(capsys: Capture, *arguments: str) -> str:
    """What is said on stderr to a wrong command."""
    assert main(list(arguments)) == 2
    return capsys.readouterr().err


def words(line: str) -> str:
    """A line with one space between its words."""
    return " ".join(line.split())


def names(lines: list[str]) -> list[str]:
    """The runs of a table."""
    return [line.split()[0].removeprefix("runs/") for line in lines[1:]]


def test_the_newest_run_comes_first_with_what_it_reached(capsys: Capture) -> None:
    lines = said(capsys, "runs")
    assert names(lines) == ["cnn/003", "mlp/002", "cnn/002", "mlp/001", "cnn/001"]
    assert words(lines[0]) == "run status steps loss metric val best val last test best claims started"
    assert words(lines[3]) == "runs/cnn/002 finished 4 accuracy 0.94 0.84 0.94 hold 2026-11-26 10:02"
    assert words(lines[2]) == "runs/mlp/002 failed 4 0.25 accuracy 0.88 0.86 2026-11-26 10:02"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--where", "val.accuracy > 0.8 and optimizer.lr < 1e-2"], ["mlp/002", "cnn/002", "cnn/001"]),
        (["--where", "val.accuracy > 0.8", "--where", "status != failed"], ["cnn/002", "cnn/001"]),
        (["--where", "status == failed"], ["mlp/002"]),
        (["--experiment", "mlp"], ["mlp/002", "mlp/001"]),
        (["--experiment", "mlp", "--experiment", "cnn", "--limit", "2"], ["cnn/003", "mlp/002"]),
        (["--sort", "val.accuracy"], ["cnn/002", "cnn/001", "mlp/002", "cnn/003", "mlp/001"]),
        (["--sort", "-val.accuracy", "--limit", "1"], ["mlp/001"]),
        (["--sort", "val.loss", "--limit", "4"], ["cnn/003", "cnn/002", "cnn/001", "mlp/002"]),
        (["--sort", "-val.loss", "--limit", "1"], ["mlp/002"]),
        (["--sort=-seed", "--limit", "1"], ["cnn/002"]),
        (["--sort", "experiment", "--limit", "3"], ["cnn/003", "cnn/002", "cnn/001"]),
    ],
)
def test_runs_are_chosen_and_sorted(capsys: Capture, arguments: list[str], expected: list[str]) -> None:
    assert names(said(capsys, "runs", *arguments)) == expected


def test_a_value_that_is_missing_or_no_number_comes_last_either_way(capsys: Capture) -> None:
    assert names(said(capsys, "runs", "--sort", "val.loss"))[-1] == "mlp/001"
    assert names(said(capsys, "runs", "--sort", "-val.loss"))[-1] == "mlp/001"


def test_what_is_asked_for_is_shown(capsys: Capture) -> None:
    lines = said(capsys, "runs", "--where", "optimizer.lr < 1", "--sort", "last.val.loss", "--limit", "1")
    assert {"optimizer.lr", "last.val.loss"} <= set(lines[0].split())
    lines = said(capsys, "runs", "--columns", "val.loss,optimizer.type,seed", "--sort", "val.accuracy", "--limit", "1")
    assert words(lines[0]) == "run val.loss optimizer.type seed"
    assert words(lines[1]) == "runs/cnn/002 0.5 AdamW 1"


def test_a_long_list_is_cut_and_says_so(there: Path, capsys: Capture) -> None:
    for number in range(4, 60):
        shutil.copytree(there / "cnn" / "001", there / "cnn" / f"{number:03d}")
    assert main(["runs"]) == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 51
    assert "… 11 more; --all shows all of them" in shown.err
    assert len(said(capsys, "runs", "--all")) == 62
    assert len(json.loads("\n".join(said(capsys, "runs", "--json")))) == 61


def test_runs_that_differ_by_seed_alone_are_one_group(capsys: Capture) -> None:
    lines = said(capsys, "runs", "--groups", "--experiment", "cnn", "--sort", "val.accuracy")
    assert words(lines[0]) == "experiment setting runs seeds metric val best test best"
    assert words(lines[1]) == "cnn optimizer.lr=0.001 2 2 accuracy 0.92 ± 0.028 0.92 ± 0.028"
    assert words(lines[2]) == "cnn optimizer.lr=0.01 1 1 accuracy 0.8 0.8"
    lines = said(capsys, "runs", "--groups", "--columns", "val.loss,status", "--sort", "-val.accuracy")
    assert words(lines[2]) == "cnn optimizer.lr=0.01 1 1 0.5 finished"
    found = json.loads("\n".join(said(capsys, "runs", "--groups", "--experiment", "cnn", "--json")))
    first = next(group for group in found if len(group["runs"]) == 2)
    assert first["spread"]["val.accuracy"] == pytest.approx({"n": 2, "mean": 0.92, "deviation": 0.02 * 2**0.5})
    assert first["seeds"] == [0, 1] or first["seeds"] == [1, 0]


def test_a_setting_is_told_without_what_follows_from_a_chosen_kind(there: Path, capsys: Capture) -> None:
    config = CONFIG.format(experiment="cnn", seed=0, lr=0.01).replace("AdamW", "SGD")
    (there / "cnn" / "003" / "config.toml").write_text(config.partition("betas")[0] + "momentum = 0.9\n")
    lines = said(capsys, "runs", "--groups", "--experiment", "cnn", "--sort", "val.accuracy")
    assert words(lines[1]).startswith("cnn optimizer.type=AdamW, optimizer.lr=0.001 2 2 accuracy")
    assert words(lines[2]).startswith("cnn optimizer.type=SGD, optimizer.lr=0.01 1 1 accuracy")


def test_a_sweep_is_listed_with_its_members_and_is_no_group(there: Path, capsys: Capture) -> None:
    sweep = write_run(there, "cnn-sweep/001")
    (sweep / "metrics.json").write_text('{"experiment": "cnn-sweep", "status": "finished", "members": [{}, {}]}')
    lines = said(capsys, "runs", "--experiment", "cnn-sweep")
    assert words(lines[0]).startswith("run status steps members")
    assert words(lines[1]).split()[1:3] == ["finished", "2"]
    assert not any("cnn-sweep" in line for line in said(capsys, "runs", "--groups"))
    (sweep / "sweep.toml").write_text("format = 1\n")
    (sweep / "config.toml").unlink()
    (sweep / "metrics.json").write_text('{"experiment": "cnn-sweep", "status": "running", "members": [{}, {}]}')
    assert words(said(capsys, "runs", "--experiment", "cnn-sweep")[1]).split()[1] == "killed"
    said(capsys, "archive", str(sweep))
    assert not any("cnn-sweep" in line for line in said(capsys, "runs"))
    assert main(["report", str(sweep)]) == 2
    assert "a sweep, not a run; name one of its members" in capsys.readouterr().err


def test_a_seed_that_was_run_twice_counts_once(there: Path, capsys: Capture) -> None:
    shutil.copytree(there / "cnn" / "001", there / "cnn" / "004")
    lines = said(capsys, "runs", "--groups", "--experiment", "cnn", "--sort", "val.accuracy")
    assert words(lines[1]) == "cnn optimizer.lr=0.001 3 2 accuracy 0.92 ± 0.028 0.92 ± 0.028"


def test_json_has_everything(capsys: Capture) -> None:
    found = json.loads("\n".join(said(capsys, "runs", "--json", "--where", "val.accuracy < 0.75")))
    assert [run["run"] for run in found] == ["runs/mlp/001"]
    assert found[0]["val"]["best"] == {"accuracy": 0.7, "loss": "nan"}
    assert found[0]["config"]["optimizer.lr"] == 0.001


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--where", "val.acuracy > 0.9"], "--where: 'val.acuracy' is known of no run, did you mean 'val.accuracy'?"),
        (["--where", "optimiser.lr > 1"], "did you mean 'optimizer.lr'?"),
        (["--where", "zzz"], "'zzz' is known of no run, `loopwright runs --names` lists those there are"),
        (["--where", "val.accuracy >"], "not understood at its end"),
        (["--sort", "-val.los"], "--sort: 'val.los' is known of no run, did you mean 'val.loss'?"),
        (["--columns", "val.loss,sed"], "--columns: 'sed' is known of no run, did you mean 'seed'?"),
        (["--experiment", "cn"], "--experiment 'cn': no run has it, did you mean 'cnn'?"),
        (["--tag", "x"], "--tag 'x': no run has it, there is none."),
        (["--limit", "0"], "must be at least 1"),
        (["--sort", "--json"], "--sort"),
    ],
)
def test_what_is_not_known_is_answered_with_the_nearest(capsys: Capture, arguments: list[str], error: str) -> None:
    assert error in refused(capsys, "runs", *arguments)


def test_the_names_there_are_can_be_listed(capsys: Capture) -> None:
    assert {"val.accuracy", "optimizer.lr", "status", "tags"} <= set(said(capsys, "runs", "--names"))


def test_where_nothing_is_meant_it_is_said(capsys: Capture) -> None:
    assert main(["runs", "--where", "val.accuracy > 2"]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "none of 5 runs is meant\n")


def test_notes_and_tags_are_shown_and_found(there: Path, capsys: Capture) -> None:
    assert said(capsys, "note", "cnn/latest", "overfits", "from step 300") == ["runs/cnn/003/notes.md"]
    assert said(capsys, "note", "runs/cnn/003")[0].endswith(" overfits from step 300")
    assert said(capsys, "tag", "cnn/003", "baseline", "good") == ["baseline", "good"]
    assert said(capsys, "tag", "cnn/003", "good", "--remove") == ["baseline"]
    assert said(capsys, "tag", "cnn/003") == ["baseline"]
    lines = said(capsys, "runs", "--tag", "baseline")
    assert lines[0].split()[-2:] == ["tags", "notes"]
    assert names(lines) == ["cnn/003"]
    assert "overfits from step 300" in lines[1]
    assert names(said(capsys, "runs", "--where", "tags == baseline and notes")) == ["cnn/003"]
    # They are no part of what the run wrote.
    assert Record.load(there / "cnn" / "003").notes == []


def test_a_run_without_notes_says_how_to_write_one(capsys: Capture) -> None:
    assert main(["note", "cnn/001"]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "no notes on runs/cnn/001; write one: loopwright note" in shown.err


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["note", "cnn/009", "x"], "cnn/009: no such run"),
        (["note", "cnn/001", " "], "the text is empty"),
        (["tag", "cnn/001", "--remove"], "which?"),
        (["tag", "cnn/001", "x", "--remove"], "has no such tag"),
        (["tag", "cnn/001", "two words"], "must be a word"),
        (["archive"], "RUN"),
        (["archive", "cnn/001", "cnn/099"], "cnn/099: no such run"),
    ],
)
def test_wrong_labels_are_refused(there: Path, capsys: Capture, arguments: list[str], error: str) -> None:
    before = sorted(there.rglob("*"))
    assert error in refused(capsys, *arguments)
    assert sorted(there.rglob("*")) == before


def test_archived_runs_are_hidden_where_they_are(there: Path, capsys: Capture) -> None:
    assert said(capsys, "archive", "cnn/001", "mlp/001") == ["runs/cnn/001", "runs/mlp/001"]
    assert names(said(capsys, "runs")) == ["cnn/003", "mlp/002", "cnn/002"]
    shown = said(capsys, "runs", "--archived", "--sort", "run")
    assert names(shown) == ["cnn/001", "cnn/002", "cnn/003", "mlp/001", "mlp/002"]
    assert shown[1].rstrip().endswith("archived")
    assert (there / "cnn" / "001" / "metrics.json").is_file()
    assert main(["runs", "--experiment", "mlp", "--where", "val.accuracy < 0.75"]) == 0
    assert "none of 5 runs is meant; 2 are archived, see --archived" in capsys.readouterr().err
    said(capsys, "archive", "cnn/001", "--undo")
    assert "cnn/001" in names(said(capsys, "runs"))


def test_text_of_a_file_does_not_reach_the_terminal_as_commands(there: Path, capsys: Capture) -> None:
    (there / "cnn" / "001" / "notes.md").write_text("\x1b[2J\x07")
    (there / "cnn" / "001" / "tags").write_text("\x1b[31mred\n")
    assert "\x1b" not in "".join(
        [*said(capsys, "runs"), *said(capsys, "note", "cnn/001"), *said(capsys, "tag", "cnn/001")]
    )


def test_looking_at_runs_does_not_wait_for_torch() -> None:
    code = (
        "import sys; from loopwright.cli.main import main; codes = [main(words.split()) for words in "
        "('runs', 'runs --groups --json', 'note cnn/001 x', 'tag cnn/001 y', 'archive cnn/001')]; "
        "print(codes, {'torch', 'numpy', 'matplotlib', 'jinja2'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ))
    assert done.stderr.splitlines()[-1] == "[0, 0, 0, 0, 0] set()"
