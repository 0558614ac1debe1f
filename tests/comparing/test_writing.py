"""What is written: where, what is in it, and that nothing of anybody else's is written over."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from making import make_group, make_run, write

from loopwright.cli.main import main
from loopwright.comparing import compare
from loopwright.comparing import write as write_comparison
from loopwright.comparing.advice import beyond_the_edge, further
from loopwright.comparing.fields import Place, Scatter, geometric
from loopwright.identity import spelled
from loopwright.report.again import lacking, train_again
from loopwright.report.record import Record
from tests.report.browser import CHROMIUM, browser

FASTER = {"optimizer.lr": 0.03}
SECTIONS = [
    "What changed",
    "Is it a controlled comparison?",
    "Goal",
    "Baseline",
    "Variant",
    "What happened",
    "Curves",
    "Trade-offs: quality and cost",
    "One failed run and its lesson",
    "Next experiment",
    "Caveats",
    "Code",
    "Commands and files",
]


@pytest.fixture
def two(tmp_path) -> list[Path]:
    return [make_run(tmp_path / "runs", "001"), make_run(tmp_path / "runs", "002", val=0.4, config=FASTER)]


def test_the_last_line_is_the_page_and_comparisons_are_counted_up_beside_the_runs(two, capsys):
    for number in ("001", "002"):
        assert main(["compare", *map(str, two)]) == 0
        page = Path(capsys.readouterr().out.splitlines()[-1])
        assert page == two[0].parents[1] / "comparisons" / number / "report.html"
        assert page.is_file()
    assert (page.parents[1] / "latest").resolve() == page.parent.resolve()


def test_the_terminal_has_the_same_parts_the_changed_keys_first(two, capsys):
    assert main(["compare", *map(str, two)]) == 0
    heads = re.findall(r"^[A-Z? -]{8,}(?=\n| No| Yes)|^CONTROLLED\?", capsys.readouterr().out, re.MULTILINE)
    assert [head.strip() for head in heads] == [
        "WHAT CHANGED",
        "CONTROLLED?",
        "WHAT HAPPENED",
        "TRADE-OFFS",
        "FAILED RUN",
        "NEXT EXPERIMENT",
    ]


def test_the_report_has_all_sections_commands_and_pictures(two, tmp_path):
    page = write_comparison(compare(two), tmp_path / "out")
    text = page.with_name("report.md").read_text()
    assert re.findall("^## (.*)$", text, re.MULTILINE) == SECTIONS
    assert f"loopwright train --config {two[0]}/config.toml" in text
    assert f"{two[1]}/report.html".replace("_", r"\_") in text
    for picture in re.findall(r"!\[.*?\]\(<(.*?)>\)", text):
        assert (page.parent / picture).read_text().startswith("<?xml")
    assert page.read_text().count('class="chart') >= 2


def test_the_sickest_of_the_compared_runs_is_the_failed_one_with_the_doctors_lesson(two):
    write(two[1] / "metrics.json", {"status": "failed", "steps": 7, "reason": "the loss is not a number"})
    finding = {"severity": "error", "cause": "lr-too-large", "evidence": "1e9", "wrong": "the rate is too large"}
    write(two[1] / "findings.json", {"findings": [{**finding, "fix": "lower it"}]})
    lesson = lesson_of_text(two)
    assert "toy/002 (one of the compared runs): failed after 7 steps: the loss is not a number" in lesson
    assert "Lesson: the rate is too large. Remedy: lower it." in lesson
    assert "Mend " in lesson


def test_where_all_are_well_the_lesson_comes_from_a_run_beside_them(two):
    assert "None: no compared run failed" in lesson_of_text(two)
    beside = make_run(two[0].parents[1], "003", metrics={"status": "failed", "steps": 3, "reason": "out of memory"})
    assert f"{beside} (not one of these, but beside them): failed after 3 steps" in lesson_of_text(two)


def test_a_missed_claim_is_a_lesson_too(two):
    claim = {"metric": "test.best.accuracy", "at_least": 0.99, "reached": 0.5, "holds": False}
    content = json.loads((two[0] / "metrics.json").read_text())
    write(two[0] / "metrics.json", {**content, "claims": [claim]})
    assert "it missed its claim: test.best.accuracy at least 0.99, reached 0.5" in lesson_of_text(two)


def lesson_of_text(runs: list[Path]) -> str:
    out = runs[0].parents[2] / "out"
    text = write_comparison(compare(runs), out).with_name("report.md").read_text()
    return re.sub(r"\\(.)", r"\1", text[text.index("## One failed") : text.index("## Caveats")])


def test_more_seeds_are_suggested_with_the_commands_that_train_them(tmp_path):
    runs = [*make_group(tmp_path, [0.5, 0.6]), *make_group(tmp_path, [0.5, 0.58], first=3, config=FASTER)]
    text = write_comparison(compare(runs), tmp_path / "out").with_name("report.md").read_text()
    assert "More seeds for A and B" in text
    assert f"; do loopwright train --config {runs[0]}/config.toml --seed $s; done" in text


def test_a_place_can_be_chosen_as_a_directory_or_as_the_name_of_a_file(two, tmp_path, capsys):
    for out, page in (("here/too", "here/too/report.html"), ("x.md", "x.html"), ("y.html", "y.html")):
        for _ in range(2):  # what is ours may be written again
            assert main(["compare", *map(str, two), "--out", str(tmp_path / out)]) == 0
            assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / page)
    assert (tmp_path / "x.md").is_file()
    assert (tmp_path / "x-plots" / "deciding.svg").is_file()


def test_what_is_not_ours_is_not_written_over(two, tmp_path, capsys):
    (tmp_path / "mine.md").write_text("# my notes\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "plots").mkdir()
    (tmp_path / "link.md").symlink_to(tmp_path / "mine.md")
    for out in ("mine.md", "mine", "link.md", two[0]):
        assert main(["compare", *map(str, two), "--out", str(tmp_path / out)]) in ((0,) if out == two[0] else (2,))
        capsys.readouterr()
    assert (tmp_path / "mine.md").read_text() == "# my notes\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written_is_refused(two, tmp_path, capsys):
    (tmp_path / "locked").mkdir(mode=0o500)
    assert main(["compare", *map(str, two), "--out", str(tmp_path / "locked" / "out")]) == 3
    assert "cannot be written" in capsys.readouterr().err


def test_a_place_below_a_file_is_refused(two, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["compare", *map(str, two), "--out", str(tmp_path / "file" / "out")]) == 2
    out, err = capsys.readouterr()
    assert "file: not a directory; choose another --out" in err
    assert out == ""


def test_json_is_all_that_is_printed_and_nothing_is_written_unless_asked_for(two, tmp_path, capsys):
    assert main(["compare", *map(str, two), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["changed"] == {"optimizer.lr": {"A": "0.01", "B": "0.03"}}
    assert (content["controlled"], content["unchanged"], content["page"]) == (True, 13, None)
    assert not (two[0].parents[1] / "comparisons").exists()
    assert main(["compare", *map(str, two), "--json", "--out", str(tmp_path / "out")]) == 0
    assert json.loads(capsys.readouterr().out)["page"] == str(tmp_path / "out" / "report.html")


def test_nothing_to_compare_is_exit_code_two(two, capsys):
    for arguments in ([], [str(two[0])], [str(two[0]), "nowhere"], [*map(str, two), "--metric", "x"]):
        assert main(["compare", *arguments]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert len(captured.err.splitlines()) == 1


def test_the_same_records_give_the_same_bytes(two, tmp_path):
    pages = [write_comparison(compare(two), tmp_path / name) for name in ("one", "two")]
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_the_code_of_two_records_is_laid_side_by_side(tmp_path):
    runs = [make_run(tmp_path, "001", patch="+one\n"), make_run(tmp_path, "002", config=FASTER, patch="+two\n")]
    for run, line in zip(runs, ("a = 1\n", "a = 2\n"), strict=True):
        (run / "source.py").write_text(line)
    text = write_comparison(compare(runs), tmp_path / "out").with_name("report.md").read_text()
    assert "-a = 1\n+a = 2" in text
    assert "-+one\n++two" in text
    assert text.count("<details>") >= 2


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_page_draws_its_charts_and_asks_for_nothing_outside_itself(tmp_path):
    rates = [make_run(tmp_path, f"{n:03d}", val=0.5 / n, config={"optimizer.lr": 10.0**-n}) for n in (1, 2, 3)]
    page = write_comparison(compare(rates), tmp_path / "out")
    with browser() as tab:
        tab.open(page, 1000)
        assert tab.evaluate("document.querySelectorAll('figure.chart.drawn canvas').length") == 3
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        tab.open(page, 390, dark=True)
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert all(request.startswith(("file:", "data:")) for request in tab.requests)


def test_of_a_digest_the_beginning_is_shown(tmp_path):
    runs = [make_run(tmp_path, f"00{place}", config={"code_sha256": sign * 64}) for place, sign in enumerate("ab")]
    text = write_comparison(compare(runs), tmp_path / "out").with_name("report.md").read_text()
    assert "aaaaaaaa | bbbbbbbb" in text
    assert "a" * 9 not in text.partition("## Code")[0]


def of_project(project: Path, name: str, words: list[str], val: float, **config) -> Path:
    about = {"loopwright": None, "code_sha256": "a" * 64, "lr": 0.01, **config}
    return make_run(project / "runs", name, val=val, config=about, env={"command": ["train.py", *words]})


def test_commands_for_runs_of_a_project_are_its_own(tmp_path, monkeypatch):
    home = tmp_path / "mine"
    (home / ".loopwright").mkdir(parents=True)
    (home / "train.py").touch()
    runs = [of_project(home, "001", [], val=0.5), of_project(home, "002", ["--lr", "0.03"], val=0.4, lr=0.03)]
    monkeypatch.chdir(tmp_path)
    text = write_comparison(compare(runs), tmp_path / "out").with_name("report.md").read_text()
    assert "loopwright train" not in text
    assert "(cd mine && python train.py --lr 0.03)\n" in text
    assert "for s in 1 2 3 4; do (cd mine && python train.py --lr 0.03 --seed $s); done" in text
    assert "# with the code in" in text  # the digests of these runs are not that of the train.py there
    monkeypatch.chdir(home)
    record = Record.load(runs[0])
    assert train_again(record) == "python train.py"
    assert train_again(record, ["--optimizer.lr", "0.001", "--patience", "1"]) == "python train.py --lr 0.001"
    assert lacking(record, ["--optimizer.lr", "0.001", "--patience", "1"]) == ["--patience"]
    (home / "train.py").unlink()
    monkeypatch.chdir(tmp_path)
    assert train_again(record) == "python train.py"  # wherever that is


def test_words_of_a_record_are_quoted(tmp_path):
    run = of_project(tmp_path, "001", ["--lr", "$(touch x)", '"; touch y; "'], val=0.5)
    assert train_again(Record.load(run)).endswith("""train.py --lr '$(touch x)' '"; touch y; "'""")


def test_an_experiment_of_ones_own_is_named_again(tmp_path):
    run = make_run(tmp_path, "001", config={"experiment": "own.py:mine", "code_sha256": "a" * 64})
    again = f"loopwright train --config {run}/config.toml --experiment own.py:mine --seed 3"
    assert train_again(Record.load(run), ["--seed", "3"]) == again


def swept(root: Path, text: str) -> list[Path]:
    home = root / "toy-sweep/001"
    runs = []
    for rate in (0.001, 0.01):
        made = make_run(home / "made", f"00{len(runs) + 1}", val=0.5 - rate, config={"optimizer.lr": rate})
        run = home / f"members/00{len(runs) + 1}-lr={rate}/001"
        run.parent.mkdir(parents=True)
        runs.append(made.rename(run))
    (home / "sweep.toml").write_text(text)
    return runs


ASKED = 'format = 1\nexperiment = "toy"\nvaried = ["optimizer.lr"]\nset = ["lr=0.001,0.01"]\nseeds = 2\nrandom = 0\n'


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (ASKED + 'flags = ["--epochs", "3"]\n', "loopwright sweep toy --set lr=0.001,0.01,0.1 --seeds 2 --epochs 3"),
        (ASKED.replace("random = 0", "random = 4"), "loopwright train --config"),
        (ASKED.replace("0.001,0.01", "log:0.001..0.01"), "loopwright train --config"),
        ("torn [", "loopwright train --config"),
    ],
)
def test_beyond_its_edge_a_sweep_is_to_grow(tmp_path, monkeypatch, text, command):
    monkeypatch.chdir(tmp_path)
    runs = [run.relative_to(tmp_path) for run in swept(tmp_path / "runs", text)]
    found = beyond_the_edge(compare(runs))
    (suggestion,) = found
    assert suggestion.text == "the best optimizer.lr, 0.01, is at the edge of what was tried: try 0.1 as well"
    assert suggestion.commands[0].startswith(command)


@pytest.mark.parametrize(
    ("values", "upwards", "expected"),
    [
        ((0.001, 0.01), True, "0.1"),
        ((0.001, 0.01), False, "0.0001"),
        ((0.0, 0.2), False, None),  # there is nothing beyond 0
        ((0.0, 0.2), True, "0.4"),
        ((0.02, 0.01), True, "0.03"),
        ((1, 2), False, None),  # the half of one is no whole number
        ((16, 32, 64), True, "128"),
        ((0.00152, 0.00154), True, None),  # as good as the same
        ((0.01, 1e6), False, "0.001"),
        ((-1.0, 1.0), False, "-3"),
    ],
)
def test_the_value_beyond_the_edge_is_another_and_one_that_can_be(values, upwards, expected):
    ordered = sorted(values)
    places = tuple(Place(spelled(value), float(value), (1.0,)) for value in ordered)
    scatter = Scatter("field", places, numeric=True, log=geometric([float(value) for value in ordered]))
    assert further(scatter, upwards=upwards) == expected
