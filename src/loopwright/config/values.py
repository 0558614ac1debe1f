"""One value: from a flag's text or a TOML value to the type that a field declares, and back to TOML's."""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from dataclasses import is_dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from loopwright.config.kinds import closest, example, expected, flag, members, options, spell
from loopwright.errors import ConfigError

_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = 60
_YES_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def coerce(value: object, kind: Any, *, path: str, line: str = "") -> Any:
    """`value` as a `kind`, for the field at `path`.

    Without `line` it is the text of a flag (None: the flag stood alone): `1e-3`, `yes`, `0.9,0.95`, `none`.
    With `line` ("run.toml:7") it is a value of that file and must have the type already; only paths, choices
    and `none` are texts there. An int is taken for a float, a float never for an int. Raises ConfigError
    with the value, the rule and an example.
    """
    try:
        return _convert(value, kind, text=not line)
    except (ValueError, OverflowError):
        raise ConfigError(_refusal(value, kind, path=path, line=line)) from None


def plain(value: object, path: str) -> Any:
    """`value` as TOML can hold it: None and paths as texts, tuples as lists; ConfigError where it cannot."""
    if isinstance(value, bool):
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, Path | NoneType):
        return spell(value)
    if isinstance(value, tuple):
        return [plain(element, path) for element in value]
    raise ConfigError(
        f"{path}: received {_SHOWN.repr(value)}, which a config cannot hold; "
        "make it a number, a text, a path, a tuple or a dataclass, or declare the field with init=False"
    )


def _convert(value: Any, kind: Any, text: bool) -> Any:
    """`value` as a `kind`; ValueError where it is none."""
    if len(members(kind)) > 1:
        return _first(value, members(kind), text)
    if get_origin(kind) is Literal:
        return _find(value, {spell(option) if text else option: option for option in get_args(kind)})
    if get_origin(kind) is tuple:
        return _tuple(value, get_args(kind), text)
    if is_dataclass(kind):
        return _find(str(value).lower(), {spell(kind).lower(): kind})
    if kind not in _READERS or value is None:
        raise ValueError
    return _READERS[kind](value, text)


def _first(value: Any, kinds: tuple[Any, ...], text: bool) -> Any:
    """The member that a TOML value is already, else the first that it can be: none first, texts last."""
    if not text and type(value) in kinds and value != "none":
        return _convert(value, type(value), text)
    for kind in sorted(kinds, key=lambda kind: 2 * (kind in (str, Path)) - (kind is NoneType)):
        try:
            return _convert(value, kind, text)
        except (ValueError, OverflowError):
            continue
    raise ValueError


def _find(value: Any, known: dict[Any, Any]) -> Any:
    """The type is compared too: True is not the literal 1."""
    for name, option in known.items():
        if type(name) is type(value) and name == value:
            return option
    raise ValueError


def _tuple(value: Any, kinds: tuple[Any, ...], text: bool) -> tuple[Any, ...]:
    if text and value is not None:
        inner = value.strip() if {str, Path} & set(kinds) else _bare(value)
        value = [part.strip() for part in split(inner.removesuffix(","))] if inner else []
    if kinds[1:] == (...,):
        kinds = kinds[:1] * len(_exactly(value, list))
    return tuple(_convert(element, kind, text) for element, kind in zip(_exactly(value, list), kinds, strict=True))


def _bare(value: str) -> str:
    """Without the brackets around a list of numbers; of texts they may be a part."""
    return value.strip().removeprefix("(").removeprefix("[").removesuffix(")").removesuffix("]").strip()


def split(value: str) -> list[str]:
    """A text at its commas outside of brackets.

    >>> split("a{2,3},b")
    ['a{2,3}', 'b']
    """
    parts, depth = [""], 0
    for letter in value:
        depth = max(depth + (letter in "([{") - (letter in ")]}"), 0)
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _bool(value: Any, text: bool) -> bool:
    return bool(_exactly(_YES_NO.get(value.lower()) if text else value, bool))


def _int(value: Any, text: bool) -> int:
    return int(value if text else _exactly(value, int))


def _float(value: Any, text: bool) -> float:
    return float(value if text or type(value) is int else _exactly(value, float))


def _str(value: Any, text: bool) -> str:
    _exactly(value, str).encode()  # not every text of a command line is Unicode; config.toml must be
    return str(value)


def _none(value: Any, text: bool) -> None:
    if str(value).lower() != "none":
        raise ValueError


def _exactly(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ValueError
    return value


_READERS: dict[Any, Callable[[Any, bool], Any]] = {
    bool: _bool,
    int: _int,
    float: _float,
    str: _str,
    Path: lambda value, text: Path(_str(value, text)),
    NoneType: _none,
}


def _refusal(value: object, kind: Any, *, path: str, line: str) -> str:
    received = "nothing" if value is None else _SHOWN.repr(value)
    near = closest(str(value), options(kind))
    if near:
        ending = f"did you mean {near!r}?"
    elif line:
        ending = f"for example {path.rpartition('.')[2]} = {_toml(example(kind))}"
    else:
        ending = f"for example {flag(path)} {spell(example(kind))}"
    where = f"{line}: {path}" if line else flag(path)
    return f"{where}: received {received}, {expected(kind)} is expected; {ending}"


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else spell(value)
