"""Checkpoints that are well made, have the right digest, and hold what no run ever saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch

from guarantees.spoiling import Case, Place, content_of, replace_all
from tests.store.sealing import archive

State = dict[str, Any]


def states() -> Iterator[Case]:
    """Checkpoints that are well made and hold what no run ever saved."""
    nothing: list[Any] = []
    nothing.append(nothing)
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    odd = {"a text": "x", "a list": [], "a number": 3, "none": None, "a tensor": torch.zeros(3), "a deep list": deep}
    for key in ("model", "optimizer", "scaler", "average", "step", "closed", "progress", "rate"):
        for name, value in odd.items():
            if key not in ("step", "closed") or name != "a number":
                yield state(f"{key} is {name}", State.update, {key: value})
        yield state(f"no {key}", State.pop, key)
    for key in ("step", "closed"):
        for value in (-1, 2**80, 10**400, True, 1.5, float("nan")):
            name = "10^400" if value == 10**400 else str(value)
            yield state(f"{key} is {name}", State.update, {key: value})
    memory = {"best_step": (-5, 2**80, 1.5, "x"), "best": ("nan", [1]), "stale": (-1, None), "system": ("x",)}
    for key, values in memory.items():
        for value in values:
            yield state(f"progress.{key} is {value}", inside, "progress", {key: value})
    for value in (float("nan"), float("inf"), "x", -1e300):
        yield state(f"rate.factor is {value}", inside, "rate", {"factor": value})
    yield from weights()
    yield from moments()
    for value in (True, 1.0, -1, 10**400, "1", [1]):
        name = repr("10^400" if value == 10**400 else value)
        yield content(f"format is {name}", State.update, {"format": value})
    yield content("state is a list", State.update, {"state": [1]})
    yield content("no step outside", State.pop, "step")
    yield content("a step outside of 400 digits", State.update, {"step": 10**400})
    yield content("a set", State.update, {"extra": {1, 2}})
    yield content("a complex number", State.update, {"extra": 1j})


def content(name: str, change: Callable[..., object], *arguments: object) -> Case:
    """A case that changes the whole of what the checkpoints hold, by `change(content, *arguments)`."""

    def spoil(place: Place) -> None:
        made = content_of(place)
        change(made, *arguments)
        replace_all(place, archive(made))

    return Case("forged state", name, spoil)


def state(name: str, change: Callable[..., object], *arguments: object) -> Case:
    """A case that changes the state in the checkpoints, by `change(state, *arguments)`."""
    return content(name, lambda made: change(made["state"], *arguments))


def inside(made: State, part: str, changes: Mapping[Any, object]) -> None:
    """Change a part of the state."""
    made[part].update(changes)


def first_weight(made: State, form: Callable[[Any], Any]) -> None:
    """Change the first weight."""
    name, weight = next(iter(made["model"].items()))
    made["model"][name] = form(weight)


def weights() -> Iterator[Case]:
    """Weights that are no weights of the model."""
    forms = {
        "complex": lambda w: w.to(torch.complex64),
        "8-bit": lambda w: w.to(torch.int8),
        "bool": lambda w: w.bool(),
        "sparse": lambda w: w.to_sparse(),
        "without memory": lambda w: w.to("meta"),
        "quantized": lambda w: torch.quantize_per_tensor(w.float(), 0.1, 0, torch.qint8),
        "not finite": lambda w: w * float("nan"),
        "of another shape": lambda w: w.flatten()[:1],
        "a text": lambda w: "w",
    }
    for name, form in forms.items():
        yield state(f"a weight is {name}", first_weight, form)
    keys = {"escapes": "\x1b]0;owned\x07\x1b[2J\r\n\n", "a megabyte": "w" * 10**6, "a number": 7, "a tuple": ("a", 1)}
    for name, key in keys.items():
        yield state(f"a weight's name is {name}", inside, "model", {key: torch.zeros(1)})
    yield state("100,000 weights too many", inside, "model", {f"w{n}": 0 for n in range(100_000)})


def moments() -> Iterator[Case]:
    """What the optimizer remembers: a fused kernel walks through it in memory, unchecked."""
    forms = {
        "short": lambda m: m.flatten()[:1].clone(),
        "a scalar": lambda m: torch.tensor(0.0),
        "empty": lambda m: m.flatten()[:0].clone(),
        "2^31 elements in one": lambda m: torch.zeros(1).expand(2**31),
        "its shape in one element": lambda m: torch.zeros(1).expand(m.shape),
        "its shape at the end of a storage": lambda m: torch.zeros(m.numel() + 9).as_strided(
            m.shape, (0,) * (m.ndim - 1) + (1,), 9
        ),
        "complex": lambda m: m.to(torch.complex128),
        "sparse": lambda m: m.to_sparse(),
        "without memory": lambda m: m.to("meta"),
        "a text": lambda m: "m",
        "none": lambda m: None,
    }
    for name, form in forms.items():
        for key in ("exp_avg", "exp_avg_sq"):
            yield state(f"{key} is {name}", every, key, form)
    for key, value in {"step": torch.zeros(1000), "": 1}.items():
        yield state(f"moment {key!r} is odd", every, key, partial(instead, value))
    yield state("step of the moments is empty", every, "step", lambda m: torch.zeros(0))
    yield state("step of the moments is a text", every, "step", lambda m: "x")
    yield state("no moments", lambda made: [m.clear() for m in made["optimizer"]["state"].values()])
    yield state("moments of nobody", lambda made: made["optimizer"]["state"].update({999: {"exp_avg": torch.zeros(1)}}))
    settings = {
        "fused": False,
        "lr": "x",
        "initial_lr": "x",
        "betas": (float("nan"), 2),
        "eps": None,
        "weight_decay": torch.ones(5),
    }
    for key, value in settings.items():
        yield state(f"setting {key} of the optimizer", group, {key: value})
    yield state("parameters twice", group, {"params": [0, 0]})
    yield state("no groups", lambda made: made["optimizer"].update(param_groups=[]))


def group(made: State, settings: Mapping[str, object]) -> None:
    """Change settings of the optimizer."""
    made["optimizer"]["param_groups"][0].update(settings)


def instead(value: object, moment: object) -> object:
    """`value`, whatever was remembered."""
    return value


def every(made: State, key: str, form: Callable[[Any], Any]) -> None:
    """Change what is remembered as `key` of every parameter."""
    for remembered in made["optimizer"]["state"].values():
        remembered[key] = form(remembered.get(key))
