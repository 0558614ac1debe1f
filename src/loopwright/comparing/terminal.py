"""A comparison on the terminal: the same in the same order, in one screen where it can be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from loopwright.comparing.blocks import Block, Bullets, Code, Table, Text
from loopwright.comparing.chapters import control, failed, following, what_changed
from loopwright.comparing.comparison import Comparison
from loopwright.comparing.document import Document
from loopwright.comparing.numbers import what_it_costs, word
from loopwright.report.values import show_metric

WIDTH = 110
MOST_ROWS = 30

Rows = Sequence[Sequence[str]]


def told(comparison: Comparison, document: Document) -> Iterator[str | Rows]:
    """Lines and tables, in order; a table is a list of rows, the first of them its head."""
    for note in comparison.notes:
        yield from paragraph(f"note: {note}")
    yield "WHAT CHANGED"
    yield from plain(what_changed(comparison))
    if comparison.contrasts:
        yield ""
        first, *others = control(comparison)
        assert isinstance(first, Text)
        yield from paragraph(f"CONTROLLED? {first.text}")
        yield from plain(others)
    yield ""
    yield "WHAT HAPPENED"
    yield groups(comparison)
    yield from paragraph(document.sentence)
    yield ""
    yield "TRADE-OFFS"
    yield from plain(what_it_costs(comparison))
    yield ""
    yield "FAILED RUN"
    yield from plain(failed(document.lesson))
    yield ""
    yield "NEXT EXPERIMENT"
    yield from plain(following(document.suggestions[:2]))


def groups(comparison: Comparison) -> Rows:
    """A line for each group: how many seeds, mean and spread, and what can be said of it."""
    deciding = comparison.deciding
    rows = [["", "", "n", deciding.measure.name, "sd", "beside the baseline"]]
    for group, sample, judgement in zip(comparison.groups, deciding.samples, deciding.judgements, strict=True):
        said = "baseline" if judgement is None else word(judgement)
        mean, deviation = show_metric(sample.mean), show_metric(sample.deviation)
        rows.append([group.letter, group.label, str(sample.n), mean, deviation, said])
    return shortened(rows)


def shortened(rows: list[list[str]]) -> Rows:
    """A table that fits on a screen."""
    if len(rows) <= MOST_ROWS + 1:
        return rows
    return [*rows[:MOST_ROWS], ["…", f"{len(rows) - MOST_ROWS} more in the report", *[""] * (len(rows[0]) - 2)]]


def plain(blocks: Sequence[Block]) -> Iterator[str | Rows]:
    """Blocks as lines and tables."""
    for block in blocks:
        match block:
            case Text():
                yield from paragraph(block.text)
            case Bullets():
                for line in block.lines:
                    yield from paragraph(line, "- ")
            case Code():
                yield from (f"  {line}" for line in block.text.splitlines()[:4])
            case Table():
                yield shortened([block.columns, *(list(row) for row in block.rows)])
                yield from paragraph(block.note)
            case _:
                pass


def paragraph(text: str, mark: str = "") -> list[str]:
    """A text in lines of readable length."""
    return wrap(text, WIDTH, initial_indent=mark, subsequent_indent=" " * len(mark), break_on_hyphens=False)
