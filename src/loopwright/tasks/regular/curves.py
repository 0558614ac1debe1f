"""How much a model gets right by length and by transition: the report's tables and the picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

from torch import Tensor

from loopwright.metrics import Table, confusion_matrix, length_binned_accuracy
from loopwright.tasks.regular.drawing import save
from loopwright.tasks.regular.encoding import FIRST_SYMBOL
from loopwright.tasks.regular.scores import Scores, share

CURVES = {
    "acceptance": ("whole strings taken rightly", "#a3262a"),
    "class_accuracy": ("class at each position", "#2f6fb0"),
    "state_accuracy": ("state at each position", "#2f8f5b"),
}
PARTS = 3
"""Into how many bins the lengths of training and those beyond are cut each."""


def bins(shortest: int, longest: int, beyond: int) -> list[tuple[int, int]]:
    """Bins of lengths, first and last: three of those in training, three of those beyond; fewer where they are few.

    >>> bins(0, 20, 60)
    [(0, 6), (7, 13), (14, 20), (21, 33), (34, 46), (47, 60)]
    """
    return [*cut(shortest, longest), *cut(longest + 1, beyond)]


def cut(first: int, last: int) -> list[tuple[int, int]]:
    """The numbers from `first` to `last` in parts as equal as can be."""
    total = max(last - first + 1, 0)
    ends = sorted({first + total * part // PARTS - 1 for part in range(1, PARTS + 1)} - {first - 1})
    return [(start, end) for start, end in zip([first, *(end + 1 for end in ends)], ends, strict=False)]


def of_lengths(scores: Scores, first: int, last: int) -> Scores:
    """The scores of the strings with `first` to `last` symbols."""
    return scores.take((scores.lengths >= first) & (scores.lengths <= last))


def length_table(scores: Scores, spans: Sequence[tuple[int, int]], longest: int) -> Table:
    """What `summary` says, for each bin of lengths; `longest` is that of training."""
    rows: list[list[str | int | float]] = []
    for first, last in spans:
        part = of_lengths(scores, first, last)
        name = f"{first} to {last}{'' if last <= longest else ', unseen'}"
        rows.append([name, len(part.lengths), *part.summary().values()])
    names = [name.replace("_", " ") for name in scores.summary()]
    note = f"Trained on up to {longest} symbols. Acceptance is counted over strings, the rest over positions."
    return Table(title="By length", columns=["symbols", "strings", *names], rows=rows, note=note)


def edge_accuracy(scores: Scores) -> dict[tuple[int, str], tuple[int, float]]:
    """For each transition that is taken, (state, symbol): how often, and how often the state it leads to was told."""
    asked, automaton = scores.mask[:, 1:], scores.automaton
    before, symbol = scores.encoded["state"][:, :-1], scores.encoded["tokens"][:, 1:] - FIRST_SYMBOL
    right = scores.right("state")[:, 1:]
    found = {}
    for state in range(len(automaton.transitions)):
        for number, text in enumerate(automaton.alphabet):
            taken = asked & (before == state) & (symbol == number)
            if taken.any():
                found[state, text] = int(taken.sum()), share(right, taken)
    return found


def edge_table(scores: Scores, held_out: Sequence[str]) -> Table:
    """`edge_accuracy` as a table; `held_out` are the transitions, STATE:SYMBOL, that training never saw."""
    rows: list[list[str | int | float]] = []
    for (state, symbol), (taken, accuracy) in edge_accuracy(scores).items():
        unseen = "no" if f"{state}:{symbol}" in held_out else "yes"
        rows.append([str(state), symbol, str(scores.automaton.step(state, symbol)), unseen, taken, accuracy])
    columns = ["from state", "symbol", "to state", "in training", "times", "state accuracy"]
    return Table(title="By transition", columns=columns, rows=rows)


def draw_lengths(scores: Scores, path: Path, *, longest: int, title: str) -> None:
    """What share is right at each length, as a picture; the lengths of training, up to `longest`, are shaded."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 3.6), layout="constrained")
    axes = figure.subplots()
    lengths = sorted(set(scores.lengths.tolist()))
    axes.axvspan(lengths[0] - 0.5, longest + 0.5, color="#7a8aa0", alpha=0.15, linewidth=0)
    for name, (label, color) in CURVES.items():
        axes.plot(lengths, curve(scores, name, lengths), color=color, linewidth=1.6, label=label)
    axes.set(xlabel="symbols in the string; shaded: lengths that were trained on", ylabel="share right")
    axes.set_ylim(-0.02, 1.03)
    axes.set_title(title, fontsize=10, parse_math=False)
    axes.legend(loc="lower left", fontsize=8)
    axes.grid(alpha=0.25)
    save(figure, path)


def curve(scores: Scores, name: str, lengths: Sequence[int]) -> list[float]:
    """One number of `summary` for the strings of each length."""
    return [of_lengths(scores, length, length).summary()[name] for length in lengths]


def by_bin(scores: Scores, spans: Sequence[tuple[int, int]]) -> dict[str, float]:
    """Acceptance in each bin of lengths, as metrics."""
    found = length_binned_accuracy(scores.accepted_rightly(), scores.lengths, [last for _, last in spans])
    return {f"acceptance_{first}_to_{last}": part.accuracy for (first, last), part in zip(spans, found, strict=False)}


def joined(parts: Sequence[Scores]) -> Scores:
    """Several sets as one."""
    return reduce(Scores.with_all, parts)


def whole_strings(scores: Scores) -> Tensor:
    """The confusion matrix of whole strings, int64 (C, C): row = class, column = the class that was said."""
    return confusion_matrix(scores.final("said"), scores.final("asked"), scores.automaton.num_classes)
