"""The lines of the steps look alike: from one that json has read, a pattern finds the numbers of the others.

What the pattern matches, json would read as the same numbers; whatever it does not match is left to json. It takes a
third of the time and no memory for tables.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from loopwright.lines import NON_FINITE, Record
from loopwright.values import Table, number

Keys = tuple[str, ...]

PLAIN = ("epoch", "lr", "samples", "grad_norm", "seconds")
MOST_COMPONENTS = 64
"""Of a loss; a table of a million names is no record of ours, and every name has a column."""

LONGEST = 8192
"""Bytes of a line that is learned from."""

NUMBER = rb"-?+(?>0|[1-9][0-9]{0,17}+)(?>\.[0-9]{1,40}+)?+(?>e[+-]?+[0-9]{1,4}+)?+"
"""A number of JSON, but for those whose digits are so many that json and float could differ."""

STEP = rb"[1-9][0-9]{0,14}+"
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|(?P<number>-?[0-9][0-9.eE+-]*)')


def quantities(record: Record) -> dict[Keys, str]:
    """Where in the record of a step the numbers stand that become curves, and their names.

    The components of the loss have curves of their own where there is more than one.
    """
    where: dict[Keys, str] = {(name,): name for name in PLAIN}
    loss = record.get("loss")
    if not isinstance(loss, dict):
        return where | {("loss",): "loss"}
    components = [name for name in loss if name != "total"][:MOST_COMPONENTS]
    if len(components) > 1:
        where |= {("loss", name): f"loss.{name}" for name in components}
    return where | {("loss", "total"): "loss"}


def measured(record: Record) -> dict[str, float]:
    """The numbers of a step's record that become curves."""
    found = ((name, number(at(record, keys))) for keys, name in quantities(record).items())
    return {name: value for name, value in found if value is not None}


def at(record: Table, keys: Keys) -> Any:
    """What stands at `record[key][key]…`; None where nothing does."""
    value: Any = record
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


@dataclass(frozen=True, slots=True)
class Layout:
    """How the lines of the steps are written. `rows` of a block of lines, each a tuple of texts: for a line of a step
    as laid out, what belongs to `names`, the step first; for any other line nothing, and as the last the line."""

    line: re.Pattern[bytes]
    either: re.Pattern[bytes]
    names: tuple[str, ...] = ()

    @staticmethod
    def of(line: bytes, record: Record) -> Layout | None:
        """The layout of `line`, which holds `record`; None where there are other numbers in it than those it shows."""
        if len(line) > LONGEST:
            return None
        try:
            unambiguous = json.loads(line, object_pairs_hook=without_doubles)
        except (ValueError, RecursionError):
            return None
        whole = isinstance(record.get("step"), int) and record.get("kind") == "step"
        leaves, texts = list(numbers_in(unambiguous)), [text for text in pieces(line) if text[1]]
        shown = len(leaves) == len(texts) and all(
            float(text) == value for (text, _), (_, value) in zip(texts, leaves, strict=True)
        )
        if not (whole and shown) or any(text.decode() in QUOTED for text, is_number in pieces(line) if not is_number):
            return None
        return laid_out(pieces(line), [keys for keys, _ in leaves], quantities(record))

    def rows(self, block: bytes) -> list[tuple[bytes, ...]]:
        """The lines of a block; each ends."""
        return self.either.findall(block)

    def fits(self, line: bytes) -> bool:
        """Whether `line` is laid out so."""
        return self.line.fullmatch(line) is not None


QUOTED = frozenset(f'"{text}"' for text in NON_FINITE)


def without_doubles(pairs: list[tuple[str, Any]]) -> Table:
    """The table of these pairs. Raises ValueError where a key comes twice: json would keep the later."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key comes twice")
    return dict(pairs)


def numbers_in(value: Any, keys: Keys = ()) -> Iterator[tuple[Keys, float]]:
    """The numbers in a record in the order of its line, with the keys that lead to them."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from numbers_in(entry, (*keys, key))
    elif isinstance(value, list):
        for place, entry in enumerate(value):
            yield from numbers_in(entry, (*keys, str(place), ""))  # no quantity stands in a list
    elif (found := number(value)) is not None:
        yield keys, found if math.isfinite(found) else math.nan


def pieces(line: bytes) -> list[tuple[bytes, bool]]:
    """The line in pieces: numbers, strings, and what is between; whether each is a number."""
    found, end = [], 0
    for token in TOKEN.finditer(line):
        found += [(line[end : token.start()], False), (token[0], token["number"] is not None)]
        end = token.end()
    return [(text, is_number) for text, is_number in [*found, (line[end:], False)] if text]


def laid_out(line: list[tuple[bytes, bool]], leaves: Sequence[Keys], wanted: dict[Keys, str]) -> Layout | None:
    """The patterns for lines like this one, of whose numbers those are captured that are `wanted`, and the step."""
    known = {("step",): "step", **wanted}
    holes = iter(leaves)
    pattern, names = b"", []
    for text, is_number in line:
        keys = next(holes) if is_number else ()
        kind = STEP if keys == ("step",) else NUMBER
        pattern += re.escape(text) if not is_number else b"(" + kind + b")" if keys in known else kind
        names += [known[keys]] if is_number and keys in known else []
    # Rows are told apart by their first text: the step's own number, or nothing.
    if names[:1] != ["step"]:
        return None
    return Layout(re.compile(pattern), re.compile(rb"(?m)^(?:" + pattern + rb"|(.*))\n"), tuple(names))


UNKNOWN = Layout(re.compile(rb"(?!)"), re.compile(rb"(?m)^()(.*)\n"))
"""Before the first line of a step: every line is another one."""
