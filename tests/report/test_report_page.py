"""The report as a whole: it says what the record says, asks for nothing outside itself, and survives any record."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fake_run import append_history, validation_record, write_json, write_run

from loopwright.errors import RunError
from loopwright.report import write_report
from loopwright.report.page import chart_script

SCRIPT = "<script>alert(1)</script>"
DATA = '<script type="application/json" class="chart-data">'


def outside(page: str) -> list[str]:
    """The addresses in a page that are neither data in it nor places in it."""
    found = re.findall(r"""(?:src|href|srcset|action|poster|data|xlink:href)\s*=\s*["']?([^"'\s>]+)""", page)
    found += re.findall(r"url\(([^)]*)\)", page) + re.findall(r"@import[^;]*", page)
    return [address for address in found if not address.strip("'\"").startswith(("data:", "#"))]


def without_ours(page: str) -> str:
    """The page without its one script and the data that it draws."""
    assert page.count(f"<script>{chart_script()}</script>") == 1
    data = re.compile(f"{re.escape(DATA)}[^<]*</script>")
    return data.sub("", page.replace(f"<script>{chart_script()}</script>", ""))


def drawings(page: str) -> list[str]:
    return [base64.b64decode(data).decode() for data in re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", page)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = write_run(tmp_path_factory.mktemp("runs") / "digits-cnn" / "003")
    assert write_report(run) == run / "report.html"
    return run


def test_the_report_is_a_page_a_markdown_file_and_the_plots(run: Path) -> None:
    assert {path.name for path in run.iterdir()} >= {"report.html", "report.md"}
    plots = {"gradient_norm.svg", "learning_rate.svg", "loss.svg", "metrics.svg", "throughput.svg"}
    assert {path.name for path in (run / "plots").iterdir()} == plots


def test_the_page_refers_to_nothing_outside_itself(run: Path) -> None:
    page = (run / "report.html").read_text()
    assert outside(without_ours(page)) == []
    assert [address for drawing in drawings(page) for address in outside(drawing)] == []
    assert "<script" not in without_ours(page)


def test_the_scan_for_outside_addresses_finds_them() -> None:
    assert outside('<img src="https://a.b/c.png">') == ["https://a.b/c.png"]
    assert outside("p { background: url(//a.b/c) } @import 'x';") == ["//a.b/c", "@import 'x'"]
    assert outside('<a href="report.md">') == ["report.md"]


@pytest.mark.parametrize("name", ["report.html", "report.md"])
def test_the_verdict_is_in_the_report(run: Path, name: str) -> None:
    text = re.sub(r"\\|<[^>]*>", "", (run / name).read_text())
    for expected in ("finished", "1 of 2 claims missed", "test.best.accuracy", "≥ 0.985", "0.991111", "missed"):
        assert expected in text
    for expected in (
        "440 steps, 20 epochs, until its budget was used up",
        "93,322",
        "286",
        "of what the doctor could check, nothing is wrong",
    ):
        assert expected in text
    for expected in ("metrics.json", "logs/history.jsonl", "env.json", "config.toml", "artifacts/confusion.json"):
        assert expected in text
    assert f"loopwright resume {run}" in text


def test_the_markdown_links_only_to_files_that_are_there(run: Path) -> None:
    links = re.findall(r"!\[.*?\]\(<?(.*?)>?\)", (run / "report.md").read_text())
    assert len(links) == 7
    assert all((run / link).is_file() for link in links)


def test_the_same_record_gives_the_same_report(run: Path) -> None:
    files = [run / "report.html", run / "report.md", *sorted((run / "plots").iterdir())]
    before = [path.read_bytes() for path in files]
    write_report(run)
    assert [path.read_bytes() for path in files] == before


def test_text_out_of_files_cannot_become_part_of_the_page(tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs" / "<b>x" / "001", steps=22)
    metrics = json.loads((run / "metrics.json").read_text())
    metrics |= {"experiment": SCRIPT, "status": SCRIPT, "reason": SCRIPT}
    metrics["claims"][0]["metric"] = SCRIPT
    write_json(run / "metrics.json", metrics)
    write_json(run / "env.json", {SCRIPT: SCRIPT, "packages": {SCRIPT: SCRIPT}})
    write_json(run / "findings.json", [{"severity": SCRIPT, "cause": SCRIPT, SCRIPT: [SCRIPT]}])
    table = {"title": SCRIPT, "columns": [SCRIPT], "rows": [[SCRIPT]], "note": SCRIPT}
    write_json(run / "artifacts" / f"{SCRIPT.replace('/', '')}.json", table)
    (run / "artifacts" / "on.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg">{SCRIPT}</svg>')
    (run / "config.toml").write_text(f"a = '{SCRIPT}'")
    (run / "code.diff").write_text(f"+{SCRIPT}")
    append_history(run, {"kind": "event", "step": 22, "event": SCRIPT, SCRIPT: SCRIPT})
    append_history(run, validation_record(22, **{SCRIPT: 1.0}))
    page = without_ours(write_report(run).read_text())
    assert "<script" not in page
    assert "<b>x" not in page
    assert page.count("&lt;script&gt;") > 15
    markdown = re.sub(r"```.*?```|`[^`]*`", "", (run / "report.md").read_text(), flags=re.DOTALL)
    assert not re.search(r"(?<!\\)<script", markdown)


def test_an_empty_run_has_a_report_that_says_what_is_missing(tmp_path: Path) -> None:
    page = write_report(tmp_path).read_text()
    assert "This record is incomplete" in page
    assert "Nothing has happened yet." in page
    assert "There is nothing to draw yet." in page
    for name in ("config.toml", "env.json", "metrics.json", "findings.json", "logs/history.jsonl"):
        assert f"{name} is missing" in page


def test_a_study_shows_its_runs(tmp_path: Path) -> None:
    member = json.loads((write_run(tmp_path / "other", steps=22) / "metrics.json").read_text())
    run = tmp_path / "study"
    run.mkdir()
    write_json(run / "env.json", {"members": ["a", "b"]})
    write_json(run / "findings.json", [])
    (run / "config.toml").write_text('experiment = "study"')
    write_json(
        run / "metrics.json", {"experiment": "study", "status": "finished", "members": [member, {"status": "failed"}]}
    )
    page = write_report(run).read_text()
    assert "A study of 2 runs." in page
    assert "1 of 2" in page
    assert "digits-cnn: test.best.loss" in page
    assert "incomplete" not in page
    assert "Curves" not in page


def test_what_people_say_of_a_run_is_in_its_report(tmp_path: Path) -> None:
    (tmp_path / "tags").write_text("baseline\nfor-the-paper\n")
    (tmp_path / "notes.md").write_text("overfits <early>\n")
    page = write_report(tmp_path).read_text()
    for text in (page, (tmp_path / "report.md").read_text()):
        assert "Tagged baseline, for-the-paper." in text
    assert "overfits &lt;early&gt;" in page
    assert "overfits <early>" in text


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such directory"):
        write_report(tmp_path / "nowhere")


def test_a_report_that_cannot_be_written_is_an_error_and_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(RunError, match=r"report\.html: is there already, and `loopwright report` did not make it"):
        write_report(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    (tmp_path / "report.html").rmdir()
    write_report(tmp_path)
    (tmp_path / "report.md").write_text("what I think of it\n")
    with pytest.raises(RunError, match=r"report\.md: is there already"):
        write_report(tmp_path)
    assert (tmp_path / "report.md").read_text() == "what I think of it\n"


def test_the_report_can_be_made_by_a_process_of_its_own_without_torch(tmp_path: Path) -> None:
    code = "import sys, loopwright.report.__main__ as report; code = report.main(sys.argv[1:])"
    code += "; assert 'torch' not in sys.modules; sys.exit(code)"
    good = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert (good.returncode, good.stdout.strip()) == (0, str(tmp_path / "report.html")), good.stderr
    bad = subprocess.run([sys.executable, "-c", code, str(tmp_path / "no")], capture_output=True, text=True)
    assert bad.returncode == 2
    assert bad.stderr.count("\n") == 1
