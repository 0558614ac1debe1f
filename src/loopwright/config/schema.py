"""Frozen, nested dataclasses as a tree of named values: what is there, what is to change, the changed tree.

A field whose value is a dataclass is a section. Where its declared type is a union of dataclasses the class
itself can be chosen; where it is a protocol or a base class the value's own class is the schema, and stays.
Fields with init=False or with `metadata={"config": False}` are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar, Union, cast, get_type_hints

from loopwright.config.kinds import flag, is_choice, members
from loopwright.config.values import coerce, plain
from loopwright.errors import ConfigError, nearest

T = TypeVar("T")


@dataclass(frozen=True)
class Override:
    """A value in place of the instance's (or a class, with its defaults), and its source, `--lr` say."""

    value: Any
    source: str


Overrides = Mapping[str, Override]
"""Overrides by dotted path; read-only."""

NO_OVERRIDES: Overrides = MappingProxyType({})


@dataclass(frozen=True)
class Leaf:
    """A value that can be set, and the class `owner` that declares it.

    A section is a leaf too: its value is its class, its kind the classes that it can have. `value` and
    `default` are `dataclasses.MISSING` where there is none. `source` is "defaults", "experiment" or an
    override's source.
    """

    path: str
    kind: Any
    value: Any
    default: Any
    help: str
    owner: str
    source: str


def leaves(instance: Any, overrides: Overrides = NO_OVERRIDES) -> list[Leaf]:
    """Every value of `instance` that can be set, as it will be under `overrides`, in the order of the fields.

    Nothing is built, so that overrides which are valid only together can be looked at one by one.
    """
    return list(_walk(instance, "", overrides))


def to_dict(instance: Any) -> dict[str, Any]:
    """`instance` as nested plain values, ready for TOML. None becomes the text "none".

    A section has the key "type", its class's name, unless its declared type is that class. Raises
    ConfigError where a value could not be read back as it is: a text "none" in an optional field, a list
    where a tuple is declared.
    """
    return _tree(instance, "")


def apply(instance: T, overrides: Overrides) -> T:
    """`instance` with all `overrides` at once, leaves first; what nothing touches stays the same object.

    Raises ConfigError where a chosen class needs a value that nobody gave, and where a class refuses its
    values with a ValueError.
    """
    return cast("T", _build(instance, "", overrides))


def replace_at(instance: T, path: str, value: object) -> T:
    """`instance` with the value at the dotted `path` replaced; ConfigError where there is no such field."""
    name, _, rest = path.partition(".")
    known = [field.name for field in fields(instance)] if is_dataclass(instance) else []
    if name not in known:
        raise ConfigError(f"{type(instance).__name__} has no field {name!r}; {nearest(name, known)}")
    changed: Any = replace_at(getattr(instance, name), rest, value) if rest else value
    return cast("T", replace(cast("Any", instance), **{name: changed}))


@dataclass(frozen=True)
class _Slot:
    """A field as the walks see it; `inner` holds a section's fields: an instance or a class."""

    path: str
    field: Field[Any]
    declared: Any
    value: Any
    inner: Any


def _slots(holder: Any, prefix: str, overrides: Overrides) -> Iterator[_Slot]:
    owner = _class(holder)
    types = _types(owner)
    for field in fields(owner):
        if not field.init or not field.metadata.get("config", True):
            continue
        if prefix and field.name == "type":
            raise ConfigError(f"{prefix}type: a section's 'type' is its class; rename this field of {owner.__name__}")
        path, declared = prefix + field.name, types[field.name]
        value = _default(field) if holder is owner else getattr(holder, field.name)
        if value is MISSING and is_dataclass(declared):
            value = declared
        chosen = overrides[path].value if path in overrides else value
        yield _Slot(path, field, declared, value, chosen if is_dataclass(chosen) else None)


@cache
def _types(owner: type) -> dict[str, Any]:
    try:
        return get_type_hints(owner)
    except NameError as error:
        raise ConfigError(
            f"{owner.__name__}: {error}, so a field's type is unknown; import it in the class's module"
        ) from error


def _class(holder: Any) -> type:
    return holder if isinstance(holder, type) else type(holder)


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _walk(holder: Any, prefix: str, overrides: Overrides) -> Iterator[Leaf]:
    for slot in _slots(holder, prefix, overrides):
        override = overrides.get(slot.path)
        kind, default = slot.declared, _default(slot.field)
        value = override.value if override else slot.value
        if slot.inner is not None:
            value = _class(slot.inner)
            default = _class(default) if is_dataclass(default) else default
            # a class of the user's own may stand where the union does not list it
            kind = Union[kind, value] if is_choice(kind) and len(members(kind)) > 1 else value  # noqa: UP007
        same = value is default or (type(value) is type(default) and value == default)
        yield Leaf(
            path=slot.path,
            kind=kind,
            value=value,
            default=default,
            help=slot.field.metadata.get("help", ""),
            owner=_class(holder).__name__,
            source=override.source if override else "defaults" if same else "experiment",
        )
        if slot.inner is not None:
            yield from _walk(slot.inner, slot.path + ".", overrides)


def _tree(instance: Any, prefix: str) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for slot in _slots(instance, prefix, NO_OVERRIDES):
        if slot.inner is None:
            tree[slot.field.name] = _written(slot)
        else:
            tag = {} if slot.declared is type(slot.inner) else {"type": type(slot.inner).__name__}
            tree[slot.field.name] = tag | _tree(slot.inner, slot.path + ".")
    return tree


def _written(slot: _Slot) -> Any:
    written = plain(slot.value, slot.path)
    read = coerce(written, slot.declared, path=slot.path, line="config")
    if read != slot.value and repr(read) != repr(slot.value):  # NaN equals itself by its text only
        raise ConfigError(
            f"{slot.path}: {slot.value!r} would be read back from a config as {read!r}; "
            f"give the field {slot.field.name} of the experiment another value or type"
        )
    return plain(read, slot.path)  # an int in a float's field is written as the float that it will be


def _build(holder: Any, prefix: str, overrides: Overrides) -> Any:
    changes: dict[str, Any] = {}
    owner = _class(holder)
    for slot in _slots(holder, prefix, overrides):
        new = overrides[slot.path].value if slot.path in overrides else slot.value
        if slot.inner is not None:
            new = _build(slot.inner, slot.path + ".", overrides)
        if new is MISSING:
            raise ConfigError(f"{slot.path}: {owner.__name__} has no default for it; add {flag(slot.path)}")
        if new is not slot.value:
            changes[slot.field.name] = new
    try:
        if holder is owner:
            return owner(**changes)
        return replace(holder, **changes) if changes else holder
    except ValueError as error:
        raise ConfigError(f"{prefix.rstrip('.') or owner.__name__}: {error}") from error
