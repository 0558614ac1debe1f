"""Probes: the program's own model is called once more, on its own batch with one thing changed; nothing is left of it.

Modes, buffers, attributes, generators, what the model prints, and what its forward pass and its hooks know by name are
afterwards what they were. A global name that they bind anew cannot be put back.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

from loopwright.doctor.measures import leaves
from loopwright.doctor.records import Call
from loopwright.doctor.stillness import OWN, undisturbed
from loopwright.seeding import preserved_generators

P = ParamSpec("P")
T = TypeVar("T")

REFUSALS = (RuntimeError, IndexError, ValueError, AssertionError, TypeError, KeyError)
"""What a model may raise when it is called with something else than the program gives it."""
FEW_ROWS, SWITCHES = 2, 8
CHANGED = 1e-4
"""A difference that is no rounding: relative to the size of the outputs; float32 sums are good to about 1e-6."""


def outputs(
    call: Call, replace: Sequence[tuple[Tensor, Tensor]] = (), weights: dict[str, Tensor] | None = None
) -> list[Tensor]:
    """What the call's module puts out, with some of its input tensors or weights replaced by others. The passes of a
    probe all draw the same random numbers."""
    args, kwargs = substituted(call.args, replace), substituted(call.kwargs, replace)
    with preserved_generators():
        if weights:
            return leaves(functional_call(call.module, weights, args, kwargs))
        return leaves(call.module(*args, **kwargs))


def substituted(value: Any, replace: Sequence[tuple[Tensor, Tensor]]) -> Any:
    """A nested argument with other tensors in it."""
    if isinstance(value, Tensor):
        return next((new for old, new in replace if old is value), value)
    if isinstance(value, dict):
        return {name: substituted(each, replace) for name, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(substituted(each, replace) for each in value)
    return value


def differ(one: Tensor, other: Tensor) -> bool:
    """Whether two outputs differ by more than rounding."""
    if one.shape != other.shape:
        return True
    if not one.is_floating_point():
        return not torch.equal(one, other)
    scale = max(float(one.abs().float().max()), 1e-6) if one.numel() else 1.0
    return bool(((one - other).abs().float() > CHANGED * scale).any()) if one.numel() else False


def abstaining(probe: Callable[P, T]) -> Callable[P, T | None]:
    """The probe; None where the model refuses what it is given."""

    @functools.wraps(probe)
    def tried(*args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return probe(*args, **kwargs)
        except REFUSALS:
            return None

    return tried


@abstaining
def depends_on(call: Call, parameters: Sequence[nn.Parameter]) -> bool:
    """Whether the outputs that a gradient came back from depend on these parameters."""
    names = {id(parameter): name for name, parameter in call.module.named_parameters()}
    changed = {names[id(p)]: p.detach() * 1.5 + 0.3 for p in parameters if id(p) in names}
    with undisturbed(call.module):
        before, after = outputs(call), outputs(call, weights=changed)
    return any(differ(before[number], after[number]) for number in used(call, before))


def used(call: Call, given: Sequence[Tensor]) -> list[int]:
    """Which of the outputs a gradient came back to."""
    return [number for number in sorted(call.flowed) if number < len(given)]


def switched_off(call: Call, parameters: Sequence[nn.Parameter]) -> bool:
    """Whether a switch of the model's own, the other way round, lets a gradient through to one of the parameters, and
    changes nothing else. A few are tried, on a few samples."""
    own = [part for part in call.module.modules() if not type(part).__module__.startswith("torch.")]
    known = ((part, name) for part in own for name, value in vars(part).items() if isinstance(value, bool))
    switches = [(part, name) for part, name in known if name not in OWN][:SWITCHES]
    return any(switched(call, parameters, part, name) for part, name in switches)


@abstaining
def switched(call: Call, parameters: Sequence[nn.Parameter], part: nn.Module, name: str) -> bool:
    """The same, of one switch: a truth value of a part of the model."""
    few = fewer(call, len(call.inputs[0]))
    with undisturbed(call.module):
        before = outputs(call, few)
        setattr(part, name, not getattr(part, name))
        with torch.enable_grad():
            after = outputs(call, few)
            ends = [output for output in after if output.requires_grad]
            gradients = torch.autograd.grad(ends, parameters, list(map(wave, ends)), allow_unused=True)
        reaches = any(gradient is not None for gradient in gradients)
        return reaches and not any(differ(one, other.detach()) for one, other in zip(before, after, strict=True))


def fewer(call: Call, samples: int) -> list[tuple[Tensor, Tensor]]:
    """The inputs of a call that have a row for each of the samples, and the first rows of each."""
    inputs = [given for given in call.inputs if given.ndim and len(given) == samples > FEW_ROWS]
    return [(given, given[:FEW_ROWS]) for given in inputs]


@abstaining
def lost_inside(call: Call, parameters: Sequence[nn.Parameter]) -> list[nn.Parameter]:
    """Those of the parameters that get no gradient but 0, whatever the loss, though the outputs depend on them.

    The outputs are taken with each parameter changed by some percent, and those that are all 0 together, and given a
    gradient of their own that the module passes on, by the hooks that it has.
    """
    names = {id(parameter): name for name, parameter in call.module.named_parameters()}
    with undisturbed(call.module):
        before = outputs(call)
        floating = [number for number in used(call, before) if before[number].is_floating_point()]

        def moves(changed: Sequence[nn.Parameter], change: Callable[[Tensor], Tensor]) -> bool:
            after = outputs(call, weights={names[id(each)]: change(each.detach()) for each in changed})
            return any(differ(before[number], after[number]) for number in floating)

        moving = [each for each in parameters if moves([each], lambda weight: weight * (1 + 0.03 * wave(weight)))]
        at_zero = [each for each in parameters if not each.any()]  # two factors: each keeps the other where it is
        if len(at_zero) > 1 and moves(at_zero, wave):
            moving += at_zero
        if not moving:
            return []
        with torch.enable_grad():
            again = [
                output for number, output in enumerate(outputs(call)) if number in floating and output.requires_grad
            ]
            given = [wave(output) for output in again]
            gradients = torch.autograd.grad(again, moving, given, allow_unused=True)
    return [p for p, gradient in zip(moving, gradients, strict=True) if gradient is not None and not gradient.any()]


def wave(like: Tensor) -> Tensor:
    """Numbers between -1 and 1 that differ from place to place, without chance."""
    return torch.arange(1, like.numel() + 1, device=like.device).cos().to(like.dtype).reshape(like.shape)


@abstaining
def mixes(call: Call, given: Tensor) -> bool | None:
    """Whether a sample's output depends on another sample of the batch; None where that cannot be told.

    `given` is the input whose rows are the samples.
    """
    row = len(given) // 2
    other = given.clone()
    if given.is_floating_point():
        other[row] = 0.7 - 1.3 * given[row]
    else:
        other[row] = given[(row + 1) % len(given)]
    with undisturbed(call.module):
        before, again, after = outputs(call), outputs(call), outputs(call, [(given, other)])
    rest = [number for number in range(len(given)) if number != row]
    found = None
    for number in sorted(call.flowed or range(len(before))):
        if number >= len(before) or before[number].ndim == 0 or len(before[number]) != len(given):
            continue
        if tuple(before[number].shape) == (len(given), len(given)):
            continue  # of pairs
        if differ(before[number], again[number]) or not differ(before[number], after[number]):
            continue
        found = bool(found) or differ(before[number][rest], after[number][rest])
    return found


@abstaining
def shuffles(call: Call, given: Tensor) -> bool:
    """Whether outputs move with the rows of `given`, whatever their order, and are no softmax over them."""
    with undisturbed(call.module):
        before, after = outputs(call), outputs(call, [(given, given.roll(1, 0))])
    whole = [number for number in used(call, before) if len(before[number]) == len(given)]
    over_all = [bool((before[number].sum(0) - 1).abs().max() < CHANGED) for number in whole]
    return not any(over_all) and not any(differ(before[number].roll(1, 0), after[number]) for number in whole)


def reach(call: Call, tokens: Tensor, position: int, axis: int = 1) -> tuple[bool, bool, bool] | None:
    """Whether outputs before `position` change, whether those from it on do, and those behind it, when the token there
    is another one.

    `tokens` int64 (B, T), or with `axis` 0 (T, B). None where no output has the tokens' positions. A few of the
    sequences are tried first.
    """
    found = None
    if axis == 1 and (few := fewer(call, len(tokens))):
        found = reached(call, tokens, position, axis, few)
    return found if found and found[1] else reached(call, tokens, position, axis)


@abstaining
def reached(
    call: Call, whole: Tensor, position: int, axis: int, few: Sequence[tuple[Tensor, Tensor]] = ()
) -> tuple[bool, bool, bool] | None:
    """The same, with a `few` samples in the place of the call's."""
    tokens = next((rows for given, rows in few if given is whole), whole)
    other = tokens.clone()
    at = (slice(None), position) if axis == 1 else (position, slice(None))
    other[at] = tokens.roll(1, 1 - axis)[at]
    if bool((other == tokens).all()):
        other[at] = tokens.max() - tokens[at]
    with undisturbed(call.module):
        before, after = outputs(call, few), outputs(call, [(whole, other), *few])
    for number in sorted(call.flowed or range(len(before))):
        if number < len(before) and (shaped := positions(before[number], tokens)) is not None:
            changed = positions(after[number], tokens)
            assert changed is not None
            if axis == 0:
                shaped, changed = shaped.transpose(0, 1), changed.transpose(0, 1)
            return (
                differ(shaped[:, :position], changed[:, :position]),
                differ(shaped[:, position:], changed[:, position:]),
                differ(shaped[:, position + 1 :], changed[:, position + 1 :]),
            )
    return None


def positions(output: Tensor, tokens: Tensor) -> Tensor | None:
    """An output as (B, T, C) where it has a row for each token."""
    if output.ndim == 3 and output.shape[:2] == tokens.shape:
        return output
    if output.ndim == 2 and len(output) == tokens.numel():
        return output.view(*tokens.shape, -1)
    if output.ndim == 3 and output.shape[0] == tokens.shape[0] and output.shape[2] == tokens.shape[1]:
        return output.transpose(1, 2)
    return None


@abstaining
def turns(call: Call, tokens: Tensor) -> bool | None:
    """Whether reversed tokens (B, T) give the same output for each sample, or the reversed one of each position; None
    where samples, or positions, have no different outputs."""
    with undisturbed(call.module):
        before, after = outputs(call), outputs(call, [(tokens, tokens.flip(1))])
    found = None
    for number in used(call, before):
        if not before[number].is_floating_point():
            continue
        placed, turned = positions(before[number], tokens), positions(after[number], tokens)
        one, other, axis = before[number], after[number], 0
        if placed is not None and turned is not None:
            one, other, axis = placed, turned.flip(1), 1
        elif one.ndim != 2 or len(one) != len(tokens):
            continue
        if differ(one, one.roll(1, axis)):
            found = found is not False and not differ(one, other)
    return found


@abstaining
def changed_times(call: Call, given: Tensor, other: Tensor, number: int, axis: int) -> Tensor:
    """Of one output, whose `axis` is time: bool (T,), which times change when `given` is replaced by `other`."""
    with undisturbed(call.module):
        before, after = outputs(call)[number], outputs(call, [(given, other)])[number]
    apart = (before - after).abs().float().movedim(axis, 0).flatten(1).amax(1)
    return apart > CHANGED * max(float(before.abs().max()), 1e-6)


@abstaining
def draws(call: Call) -> bool:
    """Whether a model draws random numbers, in evaluation mode too: another draw gives another output."""
    with undisturbed(call.module):
        before = outputs(call)
        torch.rand(1)
        after = outputs(call)
    return any(differ(before[number], after[number]) for number in used(call, before))


@abstaining
def unmoved(call: Call, tokens: Tensor) -> bool:
    """Whether reversed tokens (B, T) change no output, though other samples' tokens do."""
    with undisturbed(call.module):
        before, after = outputs(call), outputs(call, [(tokens, tokens.flip(1))])
        others = outputs(call, [(tokens, tokens.roll(1, 0))])
    floating = [number for number in used(call, before) if before[number].is_floating_point()]
    asked = any(differ(before[number], others[number]) for number in floating)
    return asked and not any(differ(before[number], after[number]) for number in floating)


@abstaining
def same_when(
    call: Call,
    given: Tensor,
    other: Tensor,
    keep: Callable[[Tensor], Tensor],
    beside: Sequence[tuple[Tensor, Tensor]] = (),
) -> bool | None:
    """Whether what `keep` takes of the outputs is the same when `given` is replaced by `other`, and others `beside` it;
    None without any.

    Outputs are of samples (B,), (B, C) or of positions; caches of attention, and losses, are neither."""
    with undisturbed(call.module):
        before, after = outputs(call), outputs(call, [(given, other), *beside])
    found = None
    for number in sorted(call.flowed or range(len(before))):
        known = number < len(before) and 1 <= before[number].ndim <= 3 and before[number].is_floating_point()
        if known and (len(before[number]) == len(given) or positions(before[number], given) is not None):
            same = not differ(keep(before[number]), keep(after[number]))
            found = same if found is None else found and same
    return found
