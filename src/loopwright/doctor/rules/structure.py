"""How the model is built and initialized."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from torch import Tensor, nn

from loopwright.doctor.finding import Finding
from loopwright.doctor.probes import mixes, shuffles
from loopwright.doctor.program import Seen
from loopwright.doctor.records import Call, Rectified, Step
from loopwright.doctor.rule import View, rule
from loopwright.errors import some

DEAD = 0.9
DEADLY = 0.08
TURNS = 1.5
ASKED_AT, WAITED = (2, 7), 16
RECURRING = 0.02


@rule("step", "symmetric-init", needs="modules")
def identical_units(view: View) -> Iterator[Finding]:
    """After two steps all units of a layer are still the same."""
    step = view.step
    if not step or step.number not in (2, 6):
        return
    for call in step.kept:
        found, still = [], 0
        for name, module in call.module.named_modules():
            if not isinstance(module, nn.Linear | nn.modules.conv._ConvNd) or id(module) not in call.ran:
                continue
            weight = module._parameters.get("weight")  # the attribute may be computed, as spectral_norm's is
            if weight is None or not weight.requires_grad or len(weight) < 2 or id(weight) not in step.held.parameters:
                continue
            rows = weight.detach().reshape(len(weight), -1)
            if bool((rows == rows[:1]).all()) and (step.number > 2 or bool(rows.any())):
                found.append(name)
                still += not bool(rows.any())
        waits = still == len(found) == 1  # for a loss that has not begun
        if found and not waits and step.loss == step.loss:
            yield Finding(
                "error",
                "symmetric-init",
                f"all units of {some(found, 3)} have identical weights after {step.number} steps",
                step.number,
                found[0],
                certainty=0.94,
            )


@rule("step", "symmetric-init")
def identical_columns(view: View) -> Iterator[Finding]:
    """Matrices that belong to no module: rows or columns that have moved and are still the same."""
    step = view.step
    optimizer = step.held.optimizer() if step else None
    if not step or step.number not in (2, 6) or optimizer is None:
        return
    known = view.scene.owned
    for name, parameter in view.scene.named(optimizer) if len(step.norms) > 1 else ():
        weight = parameter.detach()
        if id(parameter) in known or weight.ndim != 2 or min(weight.shape) < 2 or not step.moves.get(name):
            continue
        if bool((weight == weight[:1]).all()) or bool((weight == weight[:, :1]).all()):
            yield Finding(
                "error",
                "symmetric-init",
                f"all rows or all columns of {name} {tuple(weight.shape)} are identical after {step.number} updates",
                step.number,
                name,
                certainty=0.94,
            )


@rule("step", "dead-units", needs="modules")
def dead(view: View) -> Iterator[Finding]:
    """Rectifiers that give zero for every sample, batch after batch."""
    step = view.step
    if not step or step.number < 3:
        return
    for place, known in view.program.notes.dead.items():
        last = list(known.values())[-3:]
        if len(last) == 3 and min(one.dead for one in last) >= DEAD and last[-1].units >= 4 and not alternate(last):
            if any(mostly_zero(part) for call in step.kept for part in call.module.modules()):
                return  # pruned
            share, units = last[-1].dead, last[-1].units
            alive = next(iter(known.values())).dead < 0.5
            ratios = [one.ratio for one in view.program.recent(step.held) if one.number <= 8 and one.ratio == one.ratio]
            if alive and ratios and max(ratios) > DEADLY:
                yield Finding(
                    "error",
                    "lr-too-large",
                    f"{share:.0%} of the {units} units of {place} are zero for every sample at step {step.number}, and "
                    f"were not at first; updates were up to {max(ratios):.2g} of the weights' norm",
                    step.number,
                    certainty=0.84,
                )
                continue
            yield Finding(
                "warning",
                "dead-units",
                f"{share:.0%} of the {units} units of {place} were zero for every sample in three batches",
                step.number,
                place,
                certainty=0.72,
            )


def mostly_zero(part: nn.Module) -> bool:
    """Whether a layer has had most of its units taken away: their weights are exactly 0."""
    held = isinstance(part, nn.Linear | nn.modules.conv._ConvNd)
    weight = part._buffers.get("weight_mask", part._parameters.get("weight")) if held else None
    return weight is not None and float((weight.detach().flatten(1) == 0).all(1).float().mean()) > 0.5


def alternate(last: list[Rectified]) -> bool:
    """Whether other units are alive in each batch, as in a sparse code: none of them is dead."""
    return len(frozenset[int]().union(*(one.alive for one in last))) > TURNS * max(len(one.alive) for one in last)


@rule("step", "missing-activation", needs="modules")
def linear_after_linear(view: View) -> Iterator[Finding]:
    """The output of a linear layer is the input of another."""
    step = view.step
    if not step or step.number != 2:
        return
    taken = Counter(first for first, _ in view.program.notes.linear_pairs)
    for (source, _), (one, other) in view.program.notes.linear_pairs.items():
        if taken[source] > 1:
            continue  # an embedding, say, that several layers take
        first, second = one(), other()
        if first is None or second is None:
            continue
        weights = [layer._parameters.get("weight") for layer in (first, second)]
        if not all(
            weight is not None and id(weight) in step.held.parameters and weight.requires_grad for weight in weights
        ):
            continue
        narrow = first.out_features < min(first.in_features, second.out_features)
        mapped = any(layer.bias is None and layer.in_features == layer.out_features for layer in (first, second))
        if narrow or mapped or first.out_features < 8:
            continue  # a bottleneck, or a linear law of its own
        names = [view.scene.anatomy(call.module).modules for call in step.kept]
        named = [next((n[id(layer)] for n in names if id(layer) in n), "a layer") for layer in (first, second)]
        yield Finding(
            "warning",
            "missing-activation",
            f"what {named[0]} puts out ({first.out_features} wide) goes into {named[1]} as it is",
            step.number,
            named[0],
            certainty=0.78,
        )


@rule("step", "batch-mixing", needs="batches", probes=True)
def mixed_samples(view: View) -> Iterator[Finding]:
    """One sample of the batch was replaced: outputs of other samples changed.

    Where outputs move with the samples, and these come from no loader, they may be the points of one cloud, say: it is
    told when some of them have come again beside others.
    """
    step = view.step
    if not step:
        return
    for call in step.kept:
        seen = view.program.notes.of(call.module)
        asked = step.number in ASKED_AT or (WAITING in seen.answered and step.number >= WAITED)
        if (
            not asked
            or "batch-mixing" in seen.answered
            or len(seen.hashes) < 2
            or seen.fed
            or not testable(view, call, step)
        ):
            continue
        view.program.notes.batches = True
        mixed = mixes(call, call.inputs[0])
        if mixed and not call.batch and not recur(seen, call) and shuffles(call, call.inputs[0]):
            seen.answered.add(WAITING)
            continue
        if mixed is not None:
            seen.answered.add("batch-mixing")
        if mixed:
            name = type(call.module).__name__
            yield Finding(
                "error",
                "batch-mixing",
                f"the outputs of {name} for one sample depend on other samples of the batch",
                step.number,
                name,
                probe="one sample was replaced, in evaluation mode: outputs of others changed",
                certainty=0.94,
            )


WAITING = "batch-mixing later"


def recur(seen: Seen, call: Call) -> bool:
    """Whether rows of a batch were trained on before, beside others."""
    return not call.again and sum(seen.rows.get(row, 0) > 1 for row in call.rows) > RECURRING * len(call.rows)


def testable(view: View, call: Call, step: Step) -> bool:
    """Whether the rows of a call's first input are surely the samples."""
    anatomy, first = view.scene.anatomy(call.module), call.inputs[0]
    if first.ndim < 2 or not len(first) >= 4 or first.numel() > 8_000_000:
        return False
    if anatomy.sequence_first and not (one_label_each(step, first) or one_row_each(call, first)):
        return False
    usual = 1 if step.number == ASKED_AT[0] else 2  # the last batch of an epoch may be smaller
    loaders = [loader.loader() for loader in view.program.loaders.values() if id(loader) == call.source]
    if any(each is not None and each.batch_size is None for each in loaders):
        return False  # one thing at a time
    if len(view.program.notes.of(call.module).sizes) > (2 if call.batch else usual):
        return False  # recordings, say, of any length
    whole = (len(first), len(first))
    if any(buffer.shape == whole for buffer in call.module.buffers()):
        return False  # a graph's adjacency
    if any(not norm.track_running_stats for _, norm in anatomy.batch_norms):
        return False
    if first.ndim >= 3 and first.shape[0] == first.shape[1]:
        return False
    if any(not of_samples(tensor, len(first)) for tensor in call.inputs[1:]):
        return False
    targets = [len(loss.target) for loss in step.kept_losses if loss.target.ndim]
    return call.batch or len(first) in targets


def one_label_each(step: Step, first: Tensor) -> bool:
    """Of an input whose rows may be times: whether each row has one target, so that it is a sample after all."""
    labels = [loss.target.squeeze(-1) if loss.target.ndim == 2 else loss.target for loss in step.kept_losses]
    several = first.ndim >= 3 and first.shape[1] > 1 and first.shape[1] != len(first)
    return several and bool(labels) and all(label.ndim == 1 and len(label) == len(first) for label in labels)


def one_row_each(call: Call, first: Tensor) -> bool:
    """Of an input whose rows may be times: whether each row has one row of all that comes out, so that it is a sample
    after all."""
    found = [call.outputs[number] for number in call.flowed if number < len(call.outputs)]
    several = first.ndim >= 3 and first.shape[1] != len(first)
    return several and bool(found) and all(output.ndim == 2 and len(output) == len(first) for output in found)


def of_samples(tensor: Tensor, batch: int) -> bool:
    """Whether an input has a row for each sample, and is no table of pairs."""
    return tensor.ndim == 0 or (len(tensor) == batch and tuple(tensor.shape) != (batch, batch))


@rule("step", "untied-weights", needs="modules")
def copied_embedding(view: View) -> Iterator[Finding]:
    """An output layer began as a copy of the embedding."""
    step = view.step
    if not step or step.number != 1:
        return
    rate = max(step.rates, default=0.0)
    for call in step.kept:
        tables = {n: p for n, p in call.module.named_parameters() if p.ndim == 2 and p.requires_grad and len(p) >= 4}
        for name, table in tables.items():
            if "emb" not in name.lower() and "wte" not in name.lower():
                continue
            # Two embeddings are two towers, which may begin alike.
            others = {
                n: p for n, p in tables.items() if n != name and p.shape == table.shape and "emb" not in n.lower()
            }
            for other, head in others.items():
                # After one step; Adam moves each number by the rate.
                alike = bool((head.detach() - table.detach()).abs().max() < 10 * rate + 1e-7)
                if alike and float(table.detach().std()) > 20 * rate:
                    yield Finding(
                        "warning",
                        "untied-weights",
                        f"{other} began with the numbers of {name}, and is another tensor: each is updated for itself",
                        step.number,
                        other,
                        certainty=0.85,
                    )
