"""From what somebody wrote, in a file or as flags, to overrides: names and types are checked, classes chosen.

Choosing another class for a section starts from that class's defaults, and what weaker sources said about
the old class's fields falls away; naming the class that is there changes nothing. The order of assignments
never matters.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from loopwright.config.kinds import closest, flag, is_choice, options, spell
from loopwright.config.schema import Leaf, Override, Overrides, leaves
from loopwright.config.values import coerce
from loopwright.errors import ConfigError

_LISTED = 12
_SHOWN = 100


@dataclass(frozen=True)
class Assignment:
    """A value that was written for the field at `path`: with the flag `source`, or in a file at `line`."""

    path: str
    value: Any
    source: str
    line: str = ""

    def spelled(self, path: str) -> str:
        """How this assignment's author would write `path`."""
        return path if self.line else flag(path)

    def where(self) -> str:
        """The beginning of an error message."""
        if self.line:
            return f"{self.line}: {self.path[:_SHOWN]}{'…' * (len(self.path) > _SHOWN)}"
        target = flag(self.path)
        return target if self.source == target else f"{self.source} (short for {target})"


def choose(assignments: Iterable[Assignment], instance: Any, *, base: Overrides) -> dict[str, Override]:
    """`base` with the sections' classes that `assignments` name: they decide what other fields there are."""
    overrides = dict(base)
    for assignment in sorted(assignments, key=lambda one: one.path.removesuffix(".type").count(".")):
        leaf = section(assignment, {leaf.path: leaf for leaf in leaves(instance, overrides)})
        if leaf is None or isinstance(assignment.value, dict):
            continue
        chosen = coerce(assignment.value, leaf.kind, path=assignment.path, line=assignment.line)
        if chosen is not leaf.value:
            inside = leaf.path + "."
            overrides = {path: kept for path, kept in overrides.items() if not path.startswith(inside)}
            overrides[leaf.path] = Override(chosen, assignment.source)
    return overrides


def section(assignment: Assignment, known: Mapping[str, Leaf]) -> Leaf | None:
    """The section whose class `assignment` names, as `optimizer` or as `optimizer.type`."""
    for path in (assignment.path, assignment.path.removesuffix(".type")):
        if path in known and is_choice(known[path].kind):
            return known[path]
    return None


def resolve(
    assignments: Collection[Assignment], instance: Any, *, base: Overrides, aliases: Iterable[str] = ()
) -> Overrides:
    """`base` and, over it, the `assignments`, each with a value of its field's type.

    Raises ConfigError for an ill-typed value and for an unknown name, with the nearest field or alias.
    """
    overrides = choose(assignments, instance, base=base)
    known = {leaf.path: leaf for leaf in leaves(instance, overrides)}
    for one in assignments:
        leaf = known.get(one.path)
        if section(one, known) and not isinstance(one.value, dict):
            continue
        if leaf is None:
            raise ConfigError(f"{one.where()}: {_unknown(one, known, aliases)}")
        if one.value != {} or not isinstance(leaf.value, type):  # a section may be empty
            overrides[one.path] = Override(coerced(one, leaf), one.source)
    return MappingProxyType(overrides)


def coerced(one: Assignment, leaf: Leaf) -> Any:
    """The value that an assignment gives to a field. Raises ConfigError where it is ill-typed, and where it was to
    turn the field off, with what the field does."""
    try:
        return coerce(one.value, leaf.kind, path=one.path, line=one.line)
    except ConfigError as error:
        if one.value in ("none", "off"):
            error.add_note(f"{one.spelled(one.path)}: {leaf.help}")
        raise


def _unknown(one: Assignment, known: Mapping[str, Leaf], aliases: Iterable[str]) -> str:
    """Which class has no such field, and the field that was probably meant, or those that it has."""
    prefix, name = _split(one.path, known)
    siblings = {path.removeprefix(prefix): known[path] for path in known if path.rpartition(".")[0] == prefix[:-1]}
    if name in siblings:
        return _leafless(siblings[name], one)
    elsewhere = [path for path in known if path.endswith("." + one.path)]
    near = closest(name, siblings if prefix else [*siblings, *aliases])
    if elsewhere:
        ending = f"did you mean {one.spelled(elsewhere[0])}?"
    elif near:
        whole = prefix + near + one.path.removeprefix(prefix + name)
        ending = f"did you mean {one.spelled(whole if whole in known else prefix + near)}?"
    else:
        ending = "known: " + ", ".join([one.spelled(prefix + sibling) for sibling in siblings][:_LISTED])
        ending += ", …" if len(siblings) > _LISTED else ""
    return f"{next(iter(siblings.values())).owner} has no field {name!r}; {ending}"


def _split(path: str, known: Iterable[str]) -> tuple[str, str]:
    """The longest beginning of `path` that is a section with fields ("optimizer."), and the name after it."""
    parts = path.split(".")
    prefixes = ["".join(part + "." for part in parts[:depth]) for depth in range(len(parts))]
    depth = max(depth for depth, prefix in enumerate(prefixes) if any(one.startswith(prefix) for one in known))
    return prefixes[depth], parts[depth]


def _leafless(leaf: Leaf, one: Assignment) -> str:
    names = options(leaf.kind) if is_choice(leaf.kind) else []
    written = one.spelled(leaf.path) + (f'.type = "{names[0]}"' if one.line else f" {names[0]}") if names else ""
    remedy = f"choose a class for it first: {written}" if names else "set it as a whole"
    return f"{leaf.path} is {spell(leaf.value)} and holds no fields; {remedy}"
