"""What a corpus of strings is to hold, and whether an automaton can give it: told before anything is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loopwright.data.splits import Fractions
from loopwright.errors import DataError, some
from loopwright.protocols import SPLITS
from loopwright.tasks.regular.automaton import REJECT, Automaton
from loopwright.tasks.regular.categories import name, num_classes
from loopwright.tasks.regular.counting import Edge

LONGEST = 512
"""The most symbols a string may have: the exact numbers of strings grow with it in number and in size."""

SYMBOLS = 127
"""The most symbols an alphabet may have: strings hold their numbers as int8."""


@dataclass(frozen=True)
class CorpusSettings:
    """How many strings of which lengths, and which are held out.

    `accepted` strings evenly over classes and lengths `shortest` … `longest`, `rejected` ones evenly over kinds and
    lengths; `fractions` of them to train, val and test. Two more sets are unseen in training: strings longer than
    `longest`, up to `beyond` (0: none), and strings that use a transition of `held_out`, written STATE:SYMBOL, which
    no other string does; each of `unseen_accepted` and `unseen_rejected` strings. Raises DataError for what cannot be.
    """

    shortest: int = 0
    longest: int = 20
    accepted: int = 4000
    rejected: int = 4000
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1)
    beyond: int = 60
    held_out: tuple[str, ...] = ()
    unseen_accepted: int = 1000
    unseen_rejected: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.shortest <= self.longest <= LONGEST:
            raise DataError(f"lengths {self.shortest} to {self.longest}: they must go up, from 0 to {LONGEST} at most")
        if self.beyond and not self.longest < self.beyond <= LONGEST:
            raise DataError(
                f"beyond {self.beyond}: the longest of the held-out lengths, above longest ({self.longest}) and up to "
                f"{LONGEST}; 0 for none"
            )
        if min(self.fractions) < 0 or not self.fractions[0] or abs(sum(self.fractions) - 1) > 1e-9:
            raise DataError(f"fractions {self.fractions} of train, val, test: they must sum to 1, and train needs some")
        for asked, total in (("accepted + rejected", self.accepted + self.rejected), *self._unseen()):
            if total < 1:
                raise DataError(f"{asked} is {total}: a set needs one string at least")
        for field in ("accepted", "rejected", "unseen_accepted", "unseen_rejected"):
            if getattr(self, field) < 0:
                raise DataError(f"{field} is {getattr(self, field)}: a number of strings is 0 or above")

    def _unseen(self) -> list[tuple[str, int]]:
        total = self.unseen_accepted + self.unseen_rejected
        return [("unseen_accepted + unseen_rejected", total)] if self.beyond or self.held_out else []

    @property
    def lengths(self) -> range:
        """The lengths of the strings that are split."""
        return range(self.shortest, self.longest + 1)

    @property
    def held_out_lengths(self) -> range:
        """The lengths of the strings that are longer; none where `beyond` is 0."""
        return range(self.longest + 1, self.beyond + 1)

    @property
    def shares(self) -> Fractions:
        """The fractions by split; one of 0 is no split."""
        return {split: share for split, share in zip(SPLITS, self.fractions, strict=True) if share}


def edges(automaton: Automaton, texts: Sequence[str]) -> tuple[Edge, ...]:
    """Transitions from STATE:SYMBOL. Raises DataError for one that the automaton does not have, or has no language
    for.

    >>> edges(Automaton("a", ((1,), (1,), (2,)), (0, 1, 0)), ["1:a"])
    ((1, 0),)
    """
    return tuple(_edge(automaton, text) for text in texts)


def _edge(automaton: Automaton, text: str) -> Edge:
    states = {str(state): state for state in range(automaton.reject)}
    state, _, symbol = text.partition(":")
    if state not in states or len(symbol) != 1 or symbol not in automaton.alphabet:
        raise DataError(
            f"held_out {text!r}: a transition is STATE:SYMBOL, with one of the states 0 to {automaton.reject - 1} and "
            f"a symbol of {automaton.alphabet!r}"
        )
    if automaton.step(states[state], symbol) == automaton.reject:
        raise DataError(f"held_out {text!r}: symbol {symbol!r} is illegal in state {state}; choose a legal transition")
    return states[state], automaton.alphabet.index(symbol)


def check(automaton: Automaton, settings: CorpusSettings) -> None:
    """Raise DataError where the automaton has not one string of something that is asked for."""
    total = num_classes(automaton)
    if len(automaton.alphabet) > SYMBOLS:
        raise DataError(f"an alphabet of {len(automaton.alphabet)} symbols: strings are int8, for up to {SYMBOLS}")
    if not total:
        raise DataError("no string is in a language: no state of the automaton has a class")
    if 0 < settings.accepted < total:
        raise DataError(f"accepted is {settings.accepted} for {total} classes: each needs one string at least")
    reached = classes_by_length(automaton, edges(automaton, settings.held_out), settings.longest)[settings.shortest :]
    for number in range(1, total + 1) if settings.accepted else ():
        if not any(number in classes for classes in reached):
            raise DataError(_missing(automaton, number, settings))
    if settings.rejected and not any(REJECT in classes for classes in reached):
        raise DataError(
            f"rejected is {settings.rejected}: every string of {settings.shortest} to {settings.longest} symbols is "
            "in a class; set it to 0"
        )


def classes_by_length(automaton: Automaton, held_out: Sequence[Edge], longest: int) -> list[set[int]]:
    """The classes, 0 among them, that strings of 0, 1, … `longest` symbols without held-out transitions have."""
    found, states = [], {0}
    for _ in range(longest + 1):
        found.append({automaton.classes[state] for state in states})
        states = {
            target
            for state in states
            for symbol, target in enumerate(automaton.transitions[state])
            if (state, symbol) not in held_out
        }
    return found


def _missing(automaton: Automaton, number: int, settings: CorpusSettings) -> str:
    """Why no string of the asked lengths has a class, and what would."""
    what = f"{name(number)}{f' ({automaton.patterns[number - 1]!r})' if automaton.patterns else ''}"
    asked = f"{settings.shortest} to {settings.longest} symbols"
    # Of any run of S lengths above S one has strings, if any has.
    reached = classes_by_length(automaton, (), settings.longest + 2 * len(automaton.classes))
    lengths = [length for length, classes in enumerate(reached) if number in classes]
    if not lengths:
        return f"{what}: no string of any length has it; leave it out"
    if any(length in settings.lengths for length in lengths):
        return f"{what}: each of its strings of {asked} uses one of held_out {some(settings.held_out)}; hold out fewer"
    near = min(lengths, key=lambda length: max(settings.shortest - length, length - settings.longest))
    return f"{what}: no string of {asked} has it; the nearest length that has is {near}"
