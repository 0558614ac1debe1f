"""A corpus: strings of every class and kind of reject, split by what they are, and sets that no split shares.

The same automaton and settings give the same corpus. Which split a string is in depends on the string alone, so that
another seed or a larger corpus moves none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from loopwright.data.permutation import Int64
from loopwright.data.splits import by_hash
from loopwright.errors import DataError
from loopwright.protocols import Split
from loopwright.tasks.regular.automaton import Automaton
from loopwright.tasks.regular.categories import Strings, label
from loopwright.tasks.regular.counting import Paths
from loopwright.tasks.regular.quotas import Quotas, quotas
from loopwright.tasks.regular.sampling import Sampler
from loopwright.tasks.regular.settings import CorpusSettings, check, edges


@dataclass(frozen=True)
class Source:
    """Where a set's strings come from: a cell in proportion to its quota, and of the cell any string alike.

    `asked` is how many accepted and how many rejected strings were asked for, of which `lengths`; `quotas` is what
    there are.
    """

    paths: Paths
    lengths: range
    asked: tuple[int, int]
    quotas: Quotas

    def strings(self, seed: int) -> Strings:
        """The strings, no two the same, with the cells that the automaton gives them."""
        return label(self.paths.automaton, Sampler(self.paths, seed).distinct(self.quotas))


@dataclass(frozen=True, eq=False)
class Corpus:
    """The `strings` that are split, and which of them are in each of `splits`; the `unseen` sets.

    `unseen` has "beyond", longer strings, and "edges", strings that use held-out transitions, where they were asked
    for. `sources` says how each was made: "splits", and the unseen sets by their names.
    """

    automaton: Automaton
    settings: CorpusSettings
    strings: Strings
    splits: Mapping[Split, Int64]
    unseen: Mapping[str, Strings]
    sources: Mapping[str, Source]

    @cached_property
    def sets(self) -> dict[str, Strings]:
        """All sets by name, the splits first."""
        return {**{split: self.strings.take(rows) for split, rows in self.splits.items()}, **self.unseen}


def make_corpus(automaton: Automaton, settings: CorpusSettings) -> Corpus:
    """The corpus of an automaton. Raises DataError, before any string is made, for what it cannot have."""
    check(automaton, settings)
    found = sources(automaton, settings)
    made = {name: source.strings(settings.seed) for name, source in found.items()}
    strings = made.pop("splits")
    return Corpus(automaton, settings, strings, by_hash(strings.contents(), settings.shares), made, found)


def sources(automaton: Automaton, settings: CorpusSettings) -> dict[str, Source]:
    """Where the strings of each set of a corpus come from, by its name.

    Raises DataError for a set that has no accepted or no rejected string at all where such are asked for.
    """
    held_out = edges(automaton, settings.held_out)
    unseen = (settings.unseen_accepted, settings.unseen_rejected)
    inside = Paths(automaton, settings.longest, held_out)
    found = {"splits": _source("splits", inside, settings.lengths, (settings.accepted, settings.rejected), settings)}
    if settings.beyond:
        longer = Paths(automaton, settings.beyond, held_out)
        found["beyond"] = _source("beyond", longer, settings.held_out_lengths, unseen, settings)
    if held_out:
        using = Paths(automaton, settings.longest, held_out, used=True)
        found["edges"] = _source("edges", using, settings.lengths, unseen, settings)
    return found


def _source(name: str, paths: Paths, lengths: range, asked: tuple[int, int], settings: CorpusSettings) -> Source:
    found: Quotas = {}
    for sign, what, total in zip((1, -1), ("accepted", "rejected"), asked, strict=True):
        categories = [category for category in paths.categories if category * sign > 0]
        part = quotas(paths, categories, lengths, total, settings.seed)
        if total and not part:
            raise DataError(
                f"{name}: there is no {what} string of {lengths[0]} to {lengths[-1]} symbols; "
                f"ask for 0 {what} ones (asked: {total}), or leave this set out"
            )
        found |= part
    return Source(paths, lengths, asked, found)
