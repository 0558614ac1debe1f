"""TOML files: reading one with the line of every key, its values as overrides, and writing one.

The line of a key is found by scanning for headers and `key =`; a multi-line text that looks like one may
fool it.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from loopwright.config.overrides import Assignment, resolve
from loopwright.config.schema import NO_OVERRIDES, Overrides
from loopwright.config.values import coerce
from loopwright.errors import ConfigError
from loopwright.reading import open_plain

MAX_BYTES = 1_000_000
MAX_LINE = 10_000
"""Characters of a line. The parser takes quadratic time on a key with many dots, hours for a megabyte."""

_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_KEY = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"\s*\[\[?[ \t]*({_KEY})[ \t]*\]")
_ASSIGNED = re.compile(rf"\s*({_KEY})[ \t]*=")


@dataclass(frozen=True)
class TomlFile:
    """A file that was read: its values, and the line of each key by dotted path."""

    path: Path
    data: Mapping[str, Any]
    lines: Mapping[str, int]

    def line(self, path: str) -> str:
        """`run.toml:7`: where the key at `path`, or else the table around it, is written."""
        while path and path not in self.lines:
            path = path.rpartition(".")[0]
        return f"{self.path}:{self.lines.get(path, 1)}"


def read_toml(path: Path) -> TomlFile:
    """Read a file of at most a megabyte; ConfigError where it is unreadable or not TOML in UTF-8."""
    try:
        with open_plain(path) as file:
            content = file.read(MAX_BYTES + 1).removeprefix(codecs.BOM_UTF8)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{path}: cannot be read ({reason}); a TOML file is expected") from error
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path}: is larger than {MAX_BYTES} bytes; a config is a small TOML file")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: byte {content[error.start]:#04x} is not UTF-8; save it as UTF-8") from error
    _check_lines(text, str(path))
    return TomlFile(path, _parse(text, path), _lines(text))


def overrides_from_file(
    file: TomlFile, instance: Any, *, besides: Collection[str] = (), base: Overrides = NO_OVERRIDES
) -> Overrides:
    """`base` and, over it, what `file` says about `instance`; top-level keys in `besides` are the caller's.

    Raises ConfigError with file and line for unknown keys, with the nearest one, and for ill-typed values.
    """
    data = {key: value for key, value in file.data.items() if key not in besides}
    lines = [(path, value, file.line(path)) for path, value in _flat(data)]
    return resolve([Assignment(path, value, line, line) for path, value, line in lines], instance, base=base)


def check_format(file: TomlFile, *, newest: int) -> None:
    """Raise ConfigError where the file's `format` is above `newest`; one without was written by hand."""
    line = file.line("format")
    found = coerce(file.data.get("format", newest), int, path="format", line=line)
    if found > newest:
        raise ConfigError(
            f"{line}: was written by format {found}, this version reads up to {newest}: upgrade Loopwright"
        )


def dumps(data: Mapping[str, Any]) -> str:
    """`data`, as `to_dict` gives it, in TOML; floats are written by `repr`, so that every bit comes back."""
    text = tomli_w.dumps(data)
    _check_lines(text, "config")
    return text


def _check_lines(text: str, name: str) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > MAX_LINE:
            raise ConfigError(
                f"{name}:{number}: has {len(line)} characters; {MAX_LINE} is the most for a line of a config"
            )


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(
            f"{path}: its values are nested too deeply to be read; a config is at most a few levels deep"
        ) from None
    except ValueError as error:  # TOMLDecodeError is one; an int of thousands of digits is a plain one
        place = re.search(r" \(at line (\d+), column (\d+)\)$| \(at end of document\)$", str(error))
        message = str(error).removesuffix(place[0]) if place else str(error)
        line = place[1] or text.count("\n") + 1 if place else 1
        raise ConfigError(
            f"{path}:{line}: {message}" + (f" (column {place[2]})" if place and place[2] else "")
        ) from error


def _flat(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Dotted paths and values, without recursion: tables of a hostile file can be thousands deep."""
    waiting = [("", data)]
    while waiting:
        prefix, table = waiting.pop()
        for key, value in table.items():
            path = prefix + _quoted(key)
            if isinstance(value, dict) and value:
                waiting.append((path + ".", value))
            else:
                yield path, value


def _quoted(key: str) -> str:
    """A key that itself has a dot keeps its quotes, so that `"a.b" = 1` is not taken for `a.b = 1`."""
    return f'"{key}"' if "." in key else key


def _lines(text: str) -> dict[str, int]:
    """The line, from 1, on which each key and each table first stands."""
    found: dict[str, int] = {}
    prefix = ""
    for number, line in enumerate(text.split("\n"), start=1):
        header, assigned = _HEADER.match(line), _ASSIGNED.match(line)
        match = header or assigned
        if match:
            key = ".".join(_quoted(part.strip("\"'")) for part in re.findall(_PART, match[1]))
            found.setdefault(key if header else prefix + key, number)
            prefix = key + "." if header else prefix
    return found
