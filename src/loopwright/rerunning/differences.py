"""Where two traces of a step part: the first thing that differs, in the order in which a step makes things."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any, Literal

import torch

from loopwright.errors import some
from loopwright.lines import revive, same_number
from loopwright.matching.tensors import unequal
from loopwright.rerunning.trace import Trace

Layer = Literal["samples", "batch", "state", "learning rate", "output", "loss", "gradient", "update"]


@dataclass(frozen=True)
class Difference:
    """Something that two traces disagree in: on which layer, whose, and by how much."""

    layer: Layer
    name: str
    text: str
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def again(self) -> Difference:
        """The same, of a step that was done twice, in words for that."""
        text = re.sub(r"\bin B\b", "when done again", re.sub(r"\bin A\b", "the first time", self.text))
        return replace(self, text=text)


def first_difference(a: Trace, b: Trace) -> Difference | None:
    """The first difference of two traces; None where they are equal in every bit."""
    return next((found for layer in LAYERS for found in layer(a, b)), None)


def in_samples(a: Trace, b: Trace) -> Iterator[Difference]:
    """Which samples each shard holds."""
    if len(a.shards) != len(b.shards):
        plural = "s" * (len(a.shards) != 1)
        yield Difference("samples", "shards", f"{len(a.shards)} shard{plural} in A, {len(b.shards)} in B")
    for number, (left, right) in enumerate(zip(a.shards, b.shards, strict=False)):
        ours, theirs = left.samples.tolist(), right.samples.tolist()
        if ours != theirs:
            same = "the same samples in another order" if sorted(ours) == sorted(theirs) else "other samples"
            text = f"{same}: {some(ours)} in A, {some(theirs)} in B"
            yield Difference("samples", f"shard {number}", text, {"a": ours, "b": theirs})


def in_batches(a: Trace, b: Trace) -> Iterator[Difference]:
    """What the samples are, and what the loss is divided by."""
    for number, (left, right) in enumerate(zip(a.shards, b.shards, strict=False)):
        for name, text, numbers in unequal(left.tensors, right.tensors):
            yield Difference("batch", f"shard {number}, tensor {name}", text, numbers)
        if dict(left.weights) != dict(right.weights):
            yield Difference(
                "batch", f"shard {number}, weights", f"{dict(left.weights)} in A, {dict(right.weights)} in B"
            )


def in_state(a: Trace, b: Trace) -> Iterator[Difference]:
    """The weights and the optimizer's memory before the step."""
    for name, text, numbers in unequal(a.before, b.before):
        yield Difference("state", name, text, numbers)


def in_rate(a: Trace, b: Trace) -> Iterator[Difference]:
    """The learning rate."""
    if a.record["lr"] != b.record["lr"]:
        yield Difference("learning rate", "lr", f"{digits(a.record['lr'])} in A, {digits(b.record['lr'])} in B")


def in_outputs(a: Trace, b: Trace) -> Iterator[Difference]:
    """What each module gave, in the order of the forward pass: of the modules that both have, then which both lack.

    A compiled model is one module, and is compared as such with one that is not.
    """
    known = {call.module for call in a.calls} & {call.module for call in b.calls}
    ours, theirs = ([call for call in trace.calls if call.module in known] for trace in (a, b))
    for left, right in zip(ours, theirs, strict=False):
        for name, text, numbers in unequal(left.outputs, right.outputs) if left.place == right.place else ():
            given = "its inputs are equal" if left.inputs == right.inputs else "its inputs differ already"
            where = f"shard {left.shard}" + (f", output {name}" if name else "")
            yield Difference("output", left.title, f"{where}: {text}; {given}", numbers)
    for calling, called in zip_longest(a.calls, b.calls):
        if calling is None or called is None or calling.place != called.place:
            names = [call.title if call else "nothing" for call in (calling, called)]
            yield Difference("output", names[0], f"{names[0]} in A, {names[1]} in B is called here")
            return


def in_losses(a: Trace, b: Trace) -> Iterator[Difference]:
    """The loss and its components."""
    ours, theirs = (dict(reversed(trace.record["loss"].items())) for trace in (a, b))
    for name in {**ours, **theirs}:
        left, right = revive(ours.get(name)), revive(theirs.get(name))
        if not same_number(left, right):
            yield Difference("loss", name, f"{digits(left)} in A, {digits(right)} in B")


def in_gradients(a: Trace, b: Trace) -> Iterator[Difference]:
    """The gradients, in the order of the backward pass."""
    for name, text, numbers in unequal(a.gradients, b.gradients):
        yield Difference("gradient", name, text, numbers)


def in_updates(a: Trace, b: Trace) -> Iterator[Difference]:
    """The weights and the optimizer's memory after the step."""
    for name, text, numbers in unequal(a.after, b.after):
        yield Difference("update", name, text, numbers)


LAYERS: tuple[Callable[[Trace, Trace], Iterator[Difference]], ...] = (
    in_samples,
    in_batches,
    in_state,
    in_rate,
    in_outputs,
    in_losses,
    in_gradients,
    in_updates,
)


def digits(value: object) -> str:
    """A number with the digits that tell it from all others, nine for one of single precision; "" for none."""
    if not isinstance(value, float):
        return "" if value is None else str(value)
    narrow = torch.tensor(value).double().item() == value
    return f"{value:.9g}" if narrow else repr(value)


def ulps(a: float, b: float) -> int | None:
    """How many numbers lie between two, of the narrowest of fp32 and fp64 that has both; None for what is not finite.

    A loss of one shard is an fp32 number, one of several is added up in fp64.
    """
    if not (math.isfinite(a) and math.isfinite(b)):
        return None
    pair = torch.tensor([a, b], dtype=torch.float64)
    narrow = bool((pair.float().double() == pair).all())
    whole, bits = (torch.int32, pair.float()) if narrow else (torch.int64, pair)
    places: list[int] = [place if place >= 0 else torch.iinfo(whole).min - place for place in bits.view(whole).tolist()]
    return abs(places[0] - places[1])
