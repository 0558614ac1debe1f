"""Values as Python source: an experiment with all that differs from the defaults, as a person would write it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from loopwright import core
from loopwright.errors import UsageError

WIDTH = 120


@dataclass(frozen=True)
class Verbatim:
    """Source in place of a value."""

    text: str


def as_it_is(module: str) -> str | None:
    """No module is the project's own."""
    return None


class Imports:
    """The names that an expression needs. `moved` gives the name of a module in the project, where it goes along."""

    def __init__(self, moved: Callable[[str], str | None] = as_it_is) -> None:
        self.moved = moved
        self.names: dict[str, set[str]] = defaultdict(set)
        self.own: set[str] = set()
        self.modules: set[str] = set()

    def add(self, module: str, *names: str, own: bool = False) -> None:
        """Note that `names` of `module` are needed; `own` says that it is a module of the project."""
        self.modules.add(module)
        public = module.startswith("loopwright.core.") and set(names) <= set(core.__all__)
        moved = self.moved(module)
        place = moved or ("loopwright.core" if public else module)
        if own or moved:
            self.own.add(place)
        self.names[place] |= set(names)

    def text(self) -> str:
        """Import statements as a formatter would have them: the standard library's, others', the project's own."""
        groups: dict[int, list[str]] = defaultdict(list)
        for module in sorted(self.names):
            rank = 2 if module in self.own else 1 if module.partition(".")[0] == "loopwright" else 0
            groups[rank].append(f"from {module} import {', '.join(sorted(self.names[module], key=isort_key))}")
        return "\n\n".join("\n".join(groups[rank]) for rank in sorted(groups))


def isort_key(name: str) -> tuple[int, str]:
    """Constants first, then classes, then functions, as import sorters have it."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2, name)


def written(value: Any, imports: Imports, indent: int = 0, before: int = 0) -> str:
    """`value` as an expression in a line that begins at `indent` columns, behind `before` others; its names go to
    `imports`. On one line where it fits.

    Raises UsageError for what has no such form.
    """
    if isinstance(value, Verbatim):
        return value.text
    if is_dataclass(value) and not isinstance(value, type):
        arguments = [(f"{field.name}=", getattr(value, field.name)) for field in fields(value) if told(field, value)]
        name = type(value).__qualname__
        imports.add(type(value).__module__, name)
        return laid_out(name, arguments, imports, indent, before)
    if isinstance(value, tuple):
        return laid_out("", [("", element) for element in value], imports, indent, before)
    if isinstance(value, Path):
        imports.add("pathlib", "Path")
        return f"Path({written(str(value), imports)})"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    raise UsageError(f"{type(value).__name__}: a value of this kind cannot be written down as source")


def told(field: Field[Any], value: Any) -> bool:
    """Whether a field of `value` has to be written: it can be given, and differs from its default."""
    default = field.default_factory() if field.default_factory is not MISSING else field.default
    return field.init and (default is MISSING or getattr(value, field.name) != default)


def laid_out(name: str, arguments: Sequence[tuple[str, Any]], imports: Imports, indent: int, before: int) -> str:
    """`name(arguments)` on one line where it fits and is no experiment, else with one argument a line."""
    short = ", ".join(f"{key}{written(value, imports)}" for key, value in arguments)
    comma = "," if not name and len(arguments) == 1 else ""
    line = f"{name}({short}{comma})"
    if name != "Experiment" and "\n" not in line and indent + before + len(line) < WIDTH:
        return line
    inner = indent + 4
    parts = [f"{' ' * inner}{key}{written(value, imports, inner, len(key))},\n" for key, value in arguments]
    return f"{name}(\n{''.join(parts)}{' ' * indent})"
