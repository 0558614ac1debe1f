from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest

import guarantees.__main__ as command
from guarantees.apart import measure
from guarantees.document import CAMPAIGNS, SKELETON, blocks, composed, put
from guarantees.section import Scale, Section

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


ONE, TWO = Section("One", ("a",), ((1,),)), Section("Two", ("b",), ((2,),))
ORDER = ("one", "two")


def test_a_section_takes_the_place_of_the_one_before_and_leaves_the_others(tmp_path):
    document = tmp_path / "docs/guarantees.md"
    put(document, "one", ONE, "then", ORDER)
    put(document, "two", TWO, "then", ORDER)
    before = document.read_text()
    put(document, "one", Section("One", ("a",), ((7,),)), "now", ORDER)
    after = document.read_text()
    assert before.replace("| 1 |", "| 7 |").replace("then\n<!-- end one", "now\n<!-- end one") == after
    assert after.startswith(SKELETON)
    assert after.endswith("<!-- end two -->\n")


def test_sections_stand_in_the_order_of_the_campaigns_whichever_came_first(tmp_path):
    for document, names in ((tmp_path / "a", ("one", "two")), (tmp_path / "b", ("two", "one"))):
        for name in names:
            put(document, name, {"one": ONE, "two": TWO}[name], "now", ORDER)
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text()


def test_the_text_is_written_anew_with_each_section(tmp_path):
    (tmp_path / "a").write_text(SKELETON.replace("Promised", "Perhaps"))
    put(tmp_path / "a", "one", ONE, "now", ORDER)
    assert (tmp_path / "a").read_text().startswith(SKELETON)


DOCUMENT = Path(__file__).parents[2] / "docs/guarantees.md"


def test_the_document_says_what_is_promised_in_the_words_of_its_source():
    text = DOCUMENT.read_text()
    assert text == composed(blocks(text))


def test_the_document_has_a_section_of_every_campaign_at_full_or_nightly_scale():
    sections = blocks(DOCUMENT.read_text())
    for name in CAMPAIGNS:
        assert re.search(f"`python -m guarantees {name} --scale (full|nightly)`", sections.get(name, "")), name
    assert "**Violated**" not in DOCUMENT.read_text()


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
    assert command.main() == 4
    err = capsys.readouterr().err
    assert "made_up: skipped, it needs a crystal" in err
    assert err.endswith("guarantees: what was tried held; a campaign was skipped\n")
    assert not (tmp_path / "out.md").exists()


def test_an_unknown_campaign_is_bad_usage(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["guarantees", "kill"])
    with pytest.raises(SystemExit, match="2"):
        command.main()
    assert "received kill; it must be of" in capsys.readouterr().err


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_every_campaign_measures(name):
    assert callable(importlib.import_module(f"guarantees.{name}").measure)
