"""The command line: `--optimizer.lr 1e-3` and its variants, and the help table.

`--a.b 1` and `--a.b=1`, `-` and `_` alike; `--flag`, `--no-flag` and `--flag true`; a value may begin with
one dash (`-1`), after a space not with two. A flag given twice with different values is an error: letting
the later one win would hide a mistake.
"""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, replace
from types import MappingProxyType
from typing import Any

from loopwright.config.kinds import flag, label, members, options, spell
from loopwright.config.overrides import Assignment, choose, resolve
from loopwright.config.schema import NO_OVERRIDES, Leaf, Overrides, leaves
from loopwright.errors import ConfigError

_WIDTH = 99
_LIMITS = (30, 12, 12, 12)
_HEADINGS = ["flag", "type", "current", "default", "help"]
_NO_ALIASES: Mapping[str, str] = MappingProxyType({})


def parse_flags(
    arguments: Sequence[str],
    instance: Any,
    *,
    aliases: Mapping[str, str] = _NO_ALIASES,
    base: Overrides = NO_OVERRIDES,
) -> Overrides:
    """`base` (a file's overrides) and, over it, what the flags say about `instance`.

    `aliases` maps short names to paths: {"lr": "optimizer.lr"}. Raises ConfigError for an unknown flag, with
    the nearest one, for an ill-typed or missing value, contradicting flags, and an argument that is no flag.
    """
    paths = {_name(alias): path for alias, path in aliases.items()}
    written = list(_assignments(arguments, paths))
    known = {leaf.path: leaf for leaf in leaves(instance, choose(written, instance, base=base))}
    once: dict[str, Assignment] = {}
    for one in (_switched(one, known, paths) for one in written):
        earlier = once.setdefault(one.path.removesuffix(".type"), one)
        if earlier.value != one.value:
            values = " and ".join("nothing" if value is None else repr(value) for value in (earlier.value, one.value))
            raise ConfigError(f"{flag(one.path)}: received both {values}; give it once")
    return resolve(once.values(), instance, base=base, aliases=paths)


def help_text(instance: Any, *, aliases: Mapping[str, str] = _NO_ALIASES) -> str:
    """A table of the flags of `instance`, by section, under 100 columns: type, value, default, help."""
    short = {path: flag(alias) for alias, path in aliases.items()}
    titles = {"": type(instance).__name__}
    rows: dict[str, list[list[str]]] = {"": []}
    for leaf in leaves(instance):
        if isinstance(leaf.value, type):
            titles[leaf.path] = f"{leaf.path}: {leaf.value.__name__}"
            rows[leaf.path] = []
        if not isinstance(leaf.value, type) or len(members(leaf.kind)) > 1:
            rows[leaf.path.rpartition(".")[0]].append(_row(leaf, short.get(leaf.path)))
    table = [_HEADINGS, *itertools.chain.from_iterable(rows.values())]
    widths = [min(limit, max(map(len, cells))) for limit, *cells in zip(_LIMITS, *table, strict=False)]
    blocks = [
        "\n".join([titles[path], *(_line(row, widths) for row in group)]) for path, group in rows.items() if group
    ]
    return _line(_HEADINGS, widths) + "\n" + "\n\n".join(blocks) + "\n"


def _assignments(arguments: Sequence[str], aliases: Mapping[str, str]) -> Iterator[Assignment]:
    """What is written, in order; the value of a flag that stands alone is None."""
    waiting = list(reversed(arguments))
    while waiting:
        written, equals, value = waiting.pop().partition("=")
        if not written.startswith("--") or written == "--":
            raise ConfigError(
                f"{written!r}: a flag is expected here; values follow one, as in --seed 3 or --betas 0.9,0.95"
            )
        alone = not equals and (not waiting or waiting[-1].startswith("--"))
        if not equals and not alone:
            value = waiting.pop()
        name = _name(written[2:])
        yield Assignment(aliases.get(name, name), None if alone else value, flag(name))


def _name(written: str) -> str:
    return written.replace("-", "_")


def _switched(one: Assignment, known: Mapping[str, Leaf], aliases: Mapping[str, str]) -> Assignment:
    """`--shuffle` as `--shuffle true`, `--no-shuffle`, `--task.no-augment`, `--no-task.augment` as false."""
    positive = re.sub(r"^no_|(?<=\.)no_(?=[^.]*$)", "", one.path, count=1)
    path = one.path if one.path in known else aliases.get(positive, positive)
    if path not in known or bool not in members(known[path].kind):
        return one
    if path != one.path and one.value is not None:
        raise ConfigError(f"{one.source}: received {one.value!r}, but takes no value; leave it or write {flag(path)}")
    return replace(one, path=path, value=spell(path == one.path)) if one.value is None else one


def _row(leaf: Leaf, alias: str | None) -> list[str]:
    choices = options(leaf.kind)
    unsaid = not all(choice in leaf.help for choice in choices)
    notes = [leaf.help, f"one of {', '.join(choices)}" if unsaid else "", f"also {alias}" if alias else ""]
    values = ["required" if value is MISSING else spell(value) for value in (leaf.value, leaf.default)]
    return [flag(leaf.path), label(leaf.kind), *values, "; ".join(filter(None, notes))]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *cells, notes = row
    lines = ["  " + name] if len(name) > widths[0] else []
    cells = [
        cell if len(cell) <= width else cell[: width - 1] + "…" for cell, width in zip(cells, widths[1:], strict=False)
    ]
    columns = zip(["" if lines else name, *cells], widths, strict=False)
    left = "  " + "  ".join(cell.ljust(width) for cell, width in columns) + "  "
    lines += textwrap.wrap(notes, _WIDTH, initial_indent=left, subsequent_indent=" " * len(left)) or [left]
    return "\n".join(line.rstrip() for line in lines)
