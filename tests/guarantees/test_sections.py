from __future__ import annotations

import sys
from pathlib import Path

import pytest

import guarantees.__main__ as command
from guarantees.apart import measure
from guarantees.document import put
from guarantees.section import Scale, Section, Skipped

FOUND = Section(
    "Things", ("what", "count", "share"), (("a|b", 1200, 0.123456), ("c", 3, True)), notes=("That is all.",)
)


def test_a_section_is_a_table_with_its_notes():
    assert FOUND.markdown() == (
        "## Things\n\n| what | count | share |\n| --- | --- | --- |\n| a\\|b | 1,200 | 0.1235 |\n| c | 3 | True |\n\n"
        "That is all."
    )


def test_violations_come_first():
    section = Section("Things", ("what",), (("a",),), violations=("it broke",))
    assert section.markdown().startswith("## Things\n\n**Violated**: it broke\n\n| what |")


def test_a_scale_picks_its_own():
    assert [scale.pick(quick=1, full=2, nightly=3) for scale in map(Scale, ("quick", "full", "nightly"))] == [1, 2, 3]


def test_a_section_takes_the_place_of_the_one_before_and_leaves_the_others(tmp_path):
    document = tmp_path / "docs/guarantees.md"
    put(document, "one", Section("One", ("a",), ((1,),)), "then")
    put(document, "two", Section("Two", ("b",), ((2,),)), "then")
    before = document.read_text()
    put(document, "one", Section("One", ("a",), ((7,),)), "now")
    after = document.read_text()
    assert before.replace("| 1 |", "| 7 |").replace("then\n<!-- end one", "now\n<!-- end one") == after
    assert after.startswith("# What was attacked")
    assert after.endswith("<!-- end two -->\n")


def campaign(directory: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Let there be one campaign, `made_up`, and let the command line name it."""
    (directory / "made_up.py").write_text(
        f"from guarantees.section import Section, Skipped\ndef measure(scale): {body}\n"
    )
    monkeypatch.setattr(command, "CAMPAIGNS", ("made_up",))
    monkeypatch.setattr("guarantees.__path__", [*sys.modules["guarantees"].__path__, str(directory)])
    monkeypatch.setattr(command, "measure_apart", measure)
    monkeypatch.setattr(sys, "argv", ["guarantees", "made_up", "--out", str(directory / "out.md")])
    monkeypatch.delitem(sys.modules, "guarantees.made_up", raising=False)


@pytest.mark.parametrize(("violations", "code"), [("()", 0), ("('it broke',)", 1)])
def test_a_violation_is_an_exit_code_and_stands_in_the_document(tmp_path, monkeypatch, capsys, violations, code):
    campaign(tmp_path, monkeypatch, f"return Section('T', ('a',), ((1,),), violations={violations})")
    assert command.main() == code
    assert ("it broke" in (tmp_path / "out.md").read_text()) == bool(code)
    assert "`python -m guarantees made_up --scale full`" in (tmp_path / "out.md").read_text()
    assert ("made_up: VIOLATED: it broke" in capsys.readouterr().err) == bool(code)


def test_a_campaign_that_cannot_run_here_says_why_and_writes_nothing(tmp_path, monkeypatch, capsys):
    campaign(tmp_path, monkeypatch, "raise Skipped('it needs a crystal')")
    assert command.main() == 0
    assert "made_up: skipped, it needs a crystal" in capsys.readouterr().err
    assert not (tmp_path / "out.md").exists()


def test_an_unknown_campaign_is_bad_usage(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["guarantees", "kill"])
    with pytest.raises(SystemExit, match="2"):
        command.main()
    assert "received kill; it must be of" in capsys.readouterr().err


def test_every_campaign_measures():
    assert all((Path(command.__file__).parent / f"{name}.py").is_file() for name in command.CAMPAIGNS)
    assert issubclass(Skipped, Exception)
