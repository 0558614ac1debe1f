"""The sections in words: what changed, whether it is controlled, who was compared, what went wrong, what comes next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from loopwright.comparing.advice import Suggestion
from loopwright.comparing.blocks import Block, Bullets, Code, Folded, Table, Text
from loopwright.comparing.code import code_differences
from loopwright.comparing.comparison import Comparison
from loopwright.comparing.groups import Group
from loopwright.comparing.lessons import Lesson
from loopwright.comparing.numbers import MOST_GROUPS, heading, told
from loopwright.errors import capital, some
from loopwright.report.again import changed_since, train_again
from loopwright.report.values import show
from loopwright.values import number

MOST_CODE = 3
"""Variants whose code is laid beside the baseline's."""

FEW = 3
"""More variants than these stand in a table."""

MOST_RUNS = 8
"""Runs of a group that are named in a sentence."""


def what_changed(comparison: Comparison) -> list[Block]:
    """The keys that differ, and only those."""
    if not comparison.keys:
        return [Text(f"No configuration key differs; {comparison.unchanged} are unchanged.")]
    counting = [key for key in comparison.keys if key.counts]
    keys = counting or list(comparison.keys)
    if len(comparison.groups) <= MOST_GROUPS:
        columns = ["key", *(heading(comparison, group) for group in comparison.groups)]
        table = Table(columns, [[key.name, *key.shown] for key in keys])
    else:
        rows = [[group.letter, *(key.shown[at] for key in keys)] for at, group in enumerate(comparison.groups)]
        table = Table(["group", *(key.name for key in keys)], rows)
    harmless = [key.name for key in comparison.keys if not key.counts] if counting else []
    verb = "differs" if len(harmless) == 1 else "differ"
    beside = f"; {', '.join(harmless)} {verb} too, without influence on what comes out" if harmless else ""
    return [table, Text(f"{comparison.unchanged} unchanged{beside}. From config.toml of each run.")]


def control(comparison: Comparison) -> list[Block]:
    """Whether it is a controlled comparison, and if not, why, for each variant."""
    if not comparison.contrasts:
        return [Text("There is one setting; nothing was changed.")]
    if comparison.controlled:
        told = "; ".join(dict.fromkeys(contrast.told for contrast in comparison.contrasts if contrast.outside))
        thing = f"one thing, {told}" if told else "one thing"
        each = "Each variant differs" if len(comparison.contrasts) > 1 else "The variant differs"
        other = {contrast.outside for contrast in comparison.contrasts}
        same = [word for word in ("data", "code", "versions", "machine") if f"other {word}" not in other]
        return [Text(f"Yes. {each} from the baseline in {thing}; {', '.join(same)} and {budget(comparison)} the same.")]
    count = sum(contrast.controlled for contrast in comparison.contrasts)
    first = f"No; {count} of {len(comparison.contrasts)} variants are controlled." if count else "No."
    return [Text(first), Bullets(list(reasons(comparison)))]


def budget(comparison: Comparison) -> str:
    """What the runs had the same amount of: where batches are of different sizes, steps or samples are not."""
    runs = [run for run in comparison.subjects if run.finished]
    sizes = {number(run.config.get("batch_size")) for run in runs}
    steps = {run.steps for run in runs}
    if len(sizes) > 1:
        return "the number of steps (not of samples) are" if len(steps) == 1 else "epochs (not the number of steps) are"
    return "budget are"


def reasons(comparison: Comparison) -> Iterator[str]:
    """Why it is not controlled: what holds for all variants once, the rest with the variant's letter."""
    texts = [[reason.text for reason in contrast.reasons] for contrast in comparison.contrasts]
    common = [text for text in texts[0] if all(text in others for others in texts)]
    yield from common
    for contrast, own in zip(comparison.contrasts, texts, strict=True):
        yield from (f"{contrast.group.letter}: {text}" for text in own if text not in common)


def goal(comparison: Comparison) -> str:
    """What one wants to know."""
    measure, way = comparison.deciding.measure, comparison.deciding.direction
    better = {"max": "higher is better", "min": "lower is better", "": "which way is better is unknown"}[way]
    by = f"{measure.split} {measure.metric} of the {measure.which} weights ({better})"
    experiment = comparison.baseline.first.record.experiment
    if not comparison.contrasts:
        return f"How much does {by} vary between seeds of {experiment}?"
    if len(comparison.contrasts) == 1:
        return f"Is {experiment} better with {comparison.contrasts[0].told} than without, by {by}?"
    names = some(list(dict.fromkeys(change.name for one in comparison.contrasts for change in one.changes)), 4)
    return f"Which setting of {names or 'all'} is best for {experiment}, by {by}?"


def of_group(comparison: Comparison, group: Group) -> list[Block]:
    """A group: its runs, the command, its main numbers."""
    place = comparison.groups.index(group)
    metric = comparison.deciding.measure.metric
    results = [one for one in comparison.results if one.measure.metric == metric and one.samples[place].n]
    runs = [f"{run.name} (seed {show(run.seed)}, {run.status})" for run in group.subjects]
    return [
        Text(f"{group.letter}: {group.label}. Runs: {some(runs, MOST_RUNS)}."),
        Table(["metric", "value"], [[one.measure.name, told(one.samples[place])] for one in results]),
        Code("\n".join(dict.fromkeys(rerun(group))), "sh"),
    ]


def rerun(group: Group) -> Iterator[str]:
    """The commands that make a group's runs again, and how the first of them was made."""
    made = group.first.record.env.get("command")
    if isinstance(made, list) and made:
        yield f"# made by: {' '.join(shlex.join(map(str, made)).split())}"
    for run in group.subjects[:MOST_RUNS]:
        if changed_since(run.record):
            yield f"# with the code in {shlex.quote(str(run.path / 'source.py'))}; train.py has changed since"
        yield train_again(run.record)


def variants(comparison: Comparison) -> list[Block]:
    """Each group but the baseline, with what was changed; of many, in a table."""
    if len(comparison.contrasts) > FEW:
        rows = []
        for one in comparison.contrasts:
            again = train_again(one.group.first.record)
            controlled = "yes" if one.controlled else "no"
            rows.append([one.group.letter, one.told, str(len(one.group.seeds)), controlled, again])
        return [Table(["group", "what changed", "seeds", "controlled", "again"], rows)]
    found: list[Block] = []
    for contrast in comparison.contrasts:
        found += [Text(f"Changed: {contrast.told}."), *of_group(comparison, contrast.group)]
    return found


def failed(lesson: Lesson | None) -> list[Block]:
    """One failed run."""
    if lesson is None:
        return [Text("None: no compared run failed, was found sick or missed a claim, nor did one beside them.")]
    where = "one of the compared runs" if lesson.compared else "not one of these, but beside them"
    return [
        Text(f"{lesson.run} ({where}): {lesson.happened}."),
        Text(f"Lesson: {lesson.lesson}."),
        Code(lesson.command, "sh"),
    ]


def following(advice: Sequence[Suggestion]) -> list[Block]:
    """The next experiment, and what else suggests itself."""
    found: list[Block] = []
    for place, one in enumerate(advice):
        text = f"After that: {one.text}." if place else f"{capital(one.text)}."
        found += [Text(text), *([Code("\n".join(one.commands), "sh")] if one.commands else [])]
    return found


def code(comparison: Comparison) -> list[Block]:
    """What differs in the code, folded."""
    base, found = comparison.baseline.first, list[Block]()
    for contrast in comparison.contrasts[:MOST_CODE]:
        for difference in code_differences(base, contrast.group.first):
            name = f"{contrast.group.first.name} beside {base.name}: {difference.title}"
            found.append(Folded(name, difference.text, "diff"))
    return found or [Text("As far as it is on record (commit, code.diff, source.py), the code is the same.")]


def commands(comparison: Comparison, command: Sequence[str]) -> list[Block]:
    """How to do this again, and where everything lies."""
    rows = [
        [group.letter, run.name, show(run.seed), run.status, f"{run.path}/report.html"]
        for group in comparison.groups
        for run in group.subjects
    ]
    again = list(command) or ["loopwright", "compare", *(str(run.path) for run in comparison.subjects)]
    folded = f"All {len(rows)} runs" if len(rows) > 2 * MOST_RUNS else ""
    return [Code(shlex.join(again), "sh"), Table(["group", "run", "seed", "status", "report"], rows, folded=folded)]
