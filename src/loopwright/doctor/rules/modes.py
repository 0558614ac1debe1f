"""Training and evaluation mode, by what happens, not by what it is called."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from torch import nn

from loopwright.doctor.finding import Finding
from loopwright.doctor.measures import Anatomy, place
from loopwright.doctor.records import Call, Phase
from loopwright.doctor.rule import View, rule
from loopwright.errors import some

TOO_HIGH = 0.85
FEW = 8


@rule("step", "train-mode-missing", "mixed-mode", needs="modules")
def trained_in_evaluation_mode(view: View) -> Iterator[Finding]:
    """A forward pass in evaluation mode was followed by an update of the same weights."""
    step = view.step
    if not step:
        return
    counted = [call for call in step.kept if not call.wiped]
    for call in counted:
        anatomy = view.scene.anatomy(call.module)
        if not anatomy.names.keys() & step.held.parameters or not call.quiet:
            continue
        if not call.training and any(one.training and one.module is call.module for one in counted):
            continue  # an attack, say, is made in evaluation mode before
        name = type(call.module).__name__
        if all(frozen_norm(part, step.held.parameters) for part in quiet_parts(anatomy)):
            continue  # what is trained stands behind: a linear probe
        if not call.training and not call.active:
            since = "from the start" if step.number <= 2 else f"at step {step.number}"
            yield Finding(
                "error",
                "train-mode-missing",
                f"{name} is in evaluation mode in the forward pass of an update, {since}: {some(call.quiet, 3)} off",
                step.number,
                name,
                certainty=0.95,
            )
        elif virgin := [name for name, part in anatomy.batch_norms if never_gathered(part, step.held.parameters)]:
            yield Finding(
                "error",
                "mixed-mode",
                f"{some(virgin, 3)} of {name} are in evaluation mode in the forward pass of an update: they normalize "
                "by statistics that were never gathered, mean 0 and variance 1",
                step.number,
                virgin[0],
                certainty=0.94,
            )
        elif call.training:
            drops = {part for part, module in anatomy.dropouts if not module.training}
            parts = dict(call.module.named_modules())
            alive = [part for part in sorted(drops) if trained_part(parts, part, step.held.parameters)]
            if alive:
                yield Finding(
                    "warning",
                    "mixed-mode",
                    f"{name} is in training mode, but {some(alive)} inside of it is in evaluation mode while the "
                    "weights around it are trained",
                    step.number,
                    alive[0],
                    certainty=0.8,
                )


def quiet_parts(anatomy: Anatomy) -> list[nn.Module]:
    """What drops something, or gathers statistics, and is in evaluation mode."""
    return [part for _, part in (*anatomy.dropouts, *anatomy.batch_norms) if not part.training]


def never_gathered(part: nn.Module, held: frozenset[int]) -> bool:
    """Whether a batch normalization that is trained is in evaluation mode, and has never been in any other."""
    if part.training or not isinstance(part, nn.modules.batchnorm._BatchNorm) or frozen_norm(part, held):
        return False
    mean, variance = part.running_mean, part.running_var
    return mean is not None and variance is not None and not bool(mean.any()) and bool((variance == 1).all())


def frozen_norm(part: nn.Module, held: frozenset[int]) -> bool:
    """Whether a part is a normalization none of whose weights is trained."""
    norm = isinstance(part, nn.modules.batchnorm._BatchNorm)
    return norm and not any(weight.requires_grad and id(weight) in held for weight in part.parameters())


def trained_part(parts: dict[str, nn.Module], name: str, held: frozenset[int]) -> bool:
    """Whether the module around the quiet one called `name` is in evaluation mode itself, and most of it is trained: an
    adapter within what is frozen is not."""
    around = parts[name.rpartition(".")[0]] if "." in name else parts[name]
    trained = sum(weight.numel() for weight in around.parameters() if weight.requires_grad and id(weight) in held)
    return not around.training and 2 * trained > sum(weight.numel() for weight in around.parameters())


@rule("phase", "eval-mode-missing", needs="phases")
def validated_in_training_mode(view: View) -> Iterator[Finding]:
    """Forward passes of a validation with dropout or batch statistics at work."""
    phase = view.phase
    if not phase or not phase.step:
        return
    for module, calls in phase.by_module:
        if not view.scene.trains(module) or not validating(view, phase, calls):
            continue
        active = [call for call in calls if call.active and call.training]
        if len(active) == len(calls) and not repeated(calls) and not averaging(module):
            name = type(module).__name__
            yield Finding(
                "error",
                "eval-mode-missing",
                f"after step {phase.step}, forward passes of {name} without an update ({len(calls)}) ran in training "
                f"mode: {some(calls[0].active, 3)} at work",
                phase.step,
                name,
                certainty=0.93,
            )


def validating(view: View, phase: Phase, calls: list[Call]) -> bool:
    """Whether these forward passes are a validation: their loss was taken without an update, or they are several in a
    row; a pass of each step that feeds another model, as a generator's, is none."""
    if phase.chooses:
        return False
    if any(not loss.grad for loss in phase.losses):
        return True
    if view.program.notes.of(calls[0].module).feeds:
        return False  # a generator shows what it makes
    return not in_each_step(view, calls[0].module) and (len(calls) >= 2 or phase.step >= 5)


def in_each_step(view: View, module: nn.Module) -> bool:
    """Whether what runs without an update runs in nearly each of the first steps: it belongs to training."""
    most, number = FEW * view.program.stepping, id(module)
    return len({phase.step for phase in view.program.phases if 0 < phase.step < most and number in phase.modules}) >= 3


def repeated(calls: list[Call]) -> bool:
    """Whether the same input is given again and again, perhaps with noise, as for Monte Carlo dropout."""
    again = len({call.hash for call in calls}) * 2 <= len(calls)
    if all(len(set(call.rows)) * 2 <= len(call.rows) for call in calls):
        return True  # within a call
    return len(calls) >= 3 and (again or sum(alike(a, b) for a, b in pairwise(calls)) * 2 >= len(calls))


def alike(one: Call, other: Call) -> bool:
    """Whether the rows of two inputs are the same but for noise: their means lie nearer to each other than two rows."""
    first, second = one.profile, other.profile
    if len(first) < FEW or len(first) != len(second):
        return False
    return bool((first - second).square().sum() < (first - first.mean()).square().sum() / 2)


def averaging(module: nn.Module) -> bool:
    """Whether batch statistics are being gathered anew, as for averaged weights."""
    norms = [each for each in module.modules() if isinstance(each, nn.modules.batchnorm._BatchNorm)]
    return bool(norms) and all(norm.momentum is None for norm in norms)


@rule("phase", "gradients-in-validation", needs="phases")
def graphs_in_validation(view: View) -> Iterator[Finding]:
    """Several forward passes in a row record gradients that nobody asks for."""
    phase = view.phase
    if phase and phase.step and len(phase.calls) >= 3 and all(call.grad and not call.training for call in phase.calls):
        yield Finding(
            "info",
            "gradients-in-validation",
            f"after step {phase.step}, {len(phase.calls)} forward passes recorded gradients that none of them used",
            phase.step,
            certainty=0.6,
        )


@rule("step", "dropout-too-high", "batch-statistics", needs="modules")
def settings_of_layers(view: View) -> Iterator[Finding]:
    """What dropout and normalization were told."""
    step = view.step
    if not step or step.number > 2:
        return
    asked = {place(loss.target) for loss in step.kept_losses}
    earlier = [one.held.parameters for one in view.program.notes.built if one.held is not step.held and one.held.steps]
    for call in step.kept:
        rebuilds = any(place(given) in asked for given in call.inputs)  # what is dropped is what is to be found
        for name, module in view.scene.anatomy(call.module).dropouts:
            rate = getattr(module, "p", getattr(module, "dropout", 0.0))
            if rate >= TOO_HIGH and not rebuilds:
                yield Finding("warning", "dropout-too-high", f"p = {rate:g}", step.number, name, certainty=0.8)
        several = len(view.program.notes.of(call.module).hashes) > 1  # of one batch the last statistics are the right
        for name, module in view.scene.anatomy(call.module).batch_norms if several else ():
            weights = [id(weight) for weight in module.parameters(recurse=False)]
            if not any(weight in held for held in earlier for weight in weights):  # else it is adapted to a test set
                yield from statistics(name, module, step.number)


def statistics(name: str, module: nn.Module, step: int) -> Iterator[Finding]:
    """Whether a batch normalization gathers what evaluation needs."""
    told = ""
    if not module.track_running_stats:
        told = "track_running_stats is False: evaluation depends on what else is in the batch"
    elif module.training and module.momentum is not None and not 0 < float(module.momentum) < 0.9:  # type: ignore[arg-type]
        told = f"momentum is {module.momentum}"
    if told:
        yield Finding("warning", "batch-statistics", told, step, name, certainty=0.75)
