"""What a checkpoint may hold: tensors, numbers, texts, None, and lists, tuples and dicts of them."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from torch import Tensor

from loopwright.errors import StoreError

Place = tuple[Any, ...]
"""The keys and indices that lead to a value."""


def plain(value: Any, tensor: Callable[[Tensor, Place], Tensor], place: Place = ()) -> Any:
    """`value` in new lists, tuples and dicts, with `tensor(t, place)` for each tensor t in it.

    Numbers of NumPy and of enums become Python's, named tuples tuples. Raises StoreError, naming the place, for what
    could not be read back with `weights_only=True`: better now than when it is needed.
    """
    if isinstance(value, Tensor):
        return tensor(value, place)
    if isinstance(value, Mapping):
        return plain_mapping(value, tensor, place)
    if isinstance(value, list | tuple):
        items = [plain(item, tensor, (*place, number)) for number, item in enumerate(value)]
        return items if isinstance(value, list) else tuple(items)
    return scalar(value, place)


def plain_mapping(value: Mapping[Any, Any], tensor: Callable[[Tensor, Place], Tensor], place: Place) -> dict[Any, Any]:
    """`plain` for a mapping. The kinds of dict that torch reads back stay what they are."""
    items = {plain(key, tensor, place): plain(item, tensor, (*place, key)) for key, item in value.items()}
    if isinstance(value, OrderedDict):
        copied = OrderedDict(items)
        # A module's state_dict carries the versions of its parts in an attribute, `_metadata`.
        vars(copied).update(plain(vars(value), tensor, (*place, "__dict__")))
        return copied
    return Counter(items) if isinstance(value, Counter) else items


SCALARS: tuple[tuple[tuple[type, ...], Callable[[Any], bool | int | float | str]], ...] = (
    ((bool, np.bool_), bool),
    ((int, np.integer), int),
    ((float, np.floating), float),
    ((str,), str.__str__),
)


def scalar(value: Any, place: Place) -> bool | int | float | str | None:
    """`value` as Python's own kind of it. Raises StoreError where there is none."""
    if value is None:
        return None
    for kinds, convert in SCALARS:
        if isinstance(value, kinds):
            return convert(value)
    name = ".".join(str(key) for key in place)
    raise StoreError(
        f"{name}: received a {type(value).__name__}; convert it: a checkpoint holds tensors, numbers, texts, None, "
        "and lists, tuples and dicts of them"
    )
