"""Regular expressions to one minimal automaton.

greenery parses; Thompson's construction [1] makes one nondeterministic automaton of all patterns; the subset
construction [2] makes it deterministic; partition refinement by class, Moore's algorithm [3], makes it minimal.
greenery's own construction gives the same machines, but nothing can stop it: `(a|b)*a(a|b){20}` has two million states.

[1] Thompson, Regular expression search algorithm, CACM 11(6), 1968.
[2] Rabin and Scott, Finite automata and their decision problems, IBM Journal 3(2), 1959.
[3] Moore, Gedanken-experiments on sequential machines, Automata Studies, 1956.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from loopwright.errors import ConfigError, some
from loopwright.tasks.packages import require_packages
from loopwright.tasks.regular.automaton import REJECT, Automaton
from loopwright.tasks.regular.syntax import check_alphabet, normalize

STATES = 1000
"""The most states of the automaton before it is made minimal."""

PLACES = 5000
"""The most places of the nondeterministic automaton: repetitions within repetitions multiply."""

Places = frozenset[int]
"""Where the nondeterministic automaton can be: a state of the deterministic one."""


def compile_patterns(pairs: Sequence[tuple[str, int]], alphabet: str) -> Automaton:
    """The minimal automaton of several (pattern, class) pairs: a string has the class of the first pattern it matches.

    Patterns match whole strings and mean what they mean to `re.fullmatch`: symbols of `alphabet` (letters and digits),
    `| * + ? {m} {m,n} {m,} {,n} ( ) (?: ) [abc] .`, where `.` is any symbol of the alphabet. Classes are 1, 2, …;
    several pairs may have the same one. States are numbered breadth first in the order of the alphabet, the reject
    state last: equal languages give equal automata.

    Raises ConfigError for any other syntax (it shows the place), for an alphabet or classes that are against the
    rules, for a class that has no string of its own, and where more than `STATES` states would be needed.

    >>> compile_patterns([("ab", 1), ("a*b*", 2)], "ab").classify("abb")
    2
    """
    require_packages("greenery", extra="regular")
    check_alphabet(alphabet)
    check_classes(pairs)
    nondeterministic = Nondeterministic(alphabet)
    ends = [nondeterministic.add(normalize(pattern, alphabet)) for pattern, _ in pairs]
    sets, table = nondeterministic.determinize()
    matched = [[index for index, end in enumerate(ends) if end in places] for places in sets]
    check_every_class_is_reached(pairs, matched)
    classes = [pairs[matches[0]][1] if matches else REJECT for matches in matched]
    by_class = [[pattern for pattern, one in pairs if one == number] for number in range(1, max(classes) + 1)]
    return Automaton(alphabet, *minimize(table, classes), tuple("|".join(patterns) for patterns in by_class))


def check_classes(pairs: Sequence[tuple[str, int]]) -> None:
    """Raise ConfigError unless there is a pattern, and the classes are 1, 2, … without a gap."""
    if not pairs:
        raise ConfigError("no patterns: an automaton needs one (pattern, class) pair at least")
    numbers = sorted({number for _, number in pairs})
    if numbers[0] < 1 or numbers[-1] != len(numbers):
        raise ConfigError(f"the patterns have the classes {some(numbers)}: classes are 1, 2, … without a gap")


def check_every_class_is_reached(pairs: Sequence[tuple[str, int]], matched: Sequence[Sequence[int]]) -> None:
    """Raise ConfigError for a class without strings. `matched` are the patterns that match in each state, in order."""
    reached = {pairs[matches[0]][1] for matches in matched if matches}
    for index, (pattern, number) in enumerate(pairs):
        if number not in reached:
            takers = sorted({matches[0] for matches in matched if index in matches})
            names = some([f"{pairs[taker][0]!r} (class {pairs[taker][1]})" for taker in takers])
            raise ConfigError(
                f"class {number} has no strings: earlier patterns match all of {pattern!r}: {names}; "
                f"put it first or drop it"
            )


class Nondeterministic:
    """Several expressions side by side: places, and edges that read one of some symbols, or none.

    `edges[place]` are pairs of the symbols that are read and the place behind; reading nothing is "".
    """

    def __init__(self, alphabet: str) -> None:
        self.alphabet = alphabet
        self.edges: list[list[tuple[str, int]]] = []
        self.starts: list[int] = []

    def add(self, pattern: str) -> int:
        """Put an expression beside the others; return the place at its end."""
        from greenery import parse

        self.starts.append(self.place())
        return self.alternation(parse(pattern), self.starts[-1])

    def place(self) -> int:
        """A new place. Raises ConfigError where there are too many."""
        if len(self.edges) == PLACES:
            raise ConfigError(f"the patterns, repetitions written out, are longer than {PLACES} places; shorten them")
        self.edges.append([])
        return len(self.edges) - 1

    def alternation(self, pattern: Any, start: int) -> int:
        """Append a greenery `Pattern` at the place `start`; return the place at its end."""
        end = self.place()
        for conc in pattern.concs:
            place = self.place()
            self.edges[start].append(("", place))
            for mult in conc.mults:
                place = self.repetition(mult, place)
            self.edges[place].append(("", end))
        return end

    def repetition(self, mult: Any, start: int) -> int:
        """Append a greenery `Mult`: as many copies as there must be, then a loop or copies that may be skipped."""
        least, most = mult.multiplier.min.v, mult.multiplier.max.v
        for _ in range(least):
            start = self.single(mult.multiplicand, start)
        end = self.place()
        self.edges[start].append(("", end))
        if most is None:
            self.edges[self.single(mult.multiplicand, end)].append(("", end))
        for _ in range(least, most or 0):
            start = self.single(mult.multiplicand, start)
            self.edges[start].append(("", end))
        return end

    def single(self, multiplicand: Any, start: int) -> int:
        """Append one copy of what is repeated: a greenery `Pattern`, or a `Charclass` of symbols."""
        from greenery import Pattern

        if isinstance(multiplicand, Pattern):
            return self.alternation(multiplicand, start)
        end = self.place()
        self.edges[start].append(("".join(filter(multiplicand.accepts, self.alphabet)), end))
        return end

    def closure(self, places: Iterable[int]) -> Places:
        """The places that can be reached from `places` without reading."""
        found, ahead = set(places), list(places)
        while ahead:
            for symbols, target in self.edges[ahead.pop()]:
                if not symbols and target not in found:
                    found.add(target)
                    ahead.append(target)
        return frozenset(found)

    def determinize(self) -> tuple[list[Places], list[list[int]]]:
        """The sets of places that strings lead to, the start's first and the empty one second, and their transitions.

        Raises ConfigError where there are too many.
        """
        sets = [self.closure(self.starts), frozenset[int]()]
        number = {places: index for index, places in enumerate(sets)}
        table: list[list[int]] = []
        while len(table) < len(sets):
            edges = [edge for place in sets[len(table)] for edge in self.edges[place]]
            targets = [
                self.closure({target for symbols, target in edges if symbol in symbols}) for symbol in self.alphabet
            ]
            for places in targets:
                if places not in number:
                    number[places] = len(sets)
                    sets.append(places)
            if len(sets) > STATES:
                raise ConfigError(f"the patterns need more than {STATES} states; shorten their repetitions")
            table.append([number[places] for places in targets])
        return sets, table


def minimize(table: list[list[int]], classes: list[int]) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """The smallest table and its classes, in canonical order; state 0 is the start, state 1 the reject state."""
    block = classes
    while True:
        signatures = [(own, *(block[target] for target in row)) for own, row in zip(block, table, strict=True)]
        number = {signature: index for index, signature in enumerate(dict.fromkeys(signatures))}
        if len(number) == len(set(block)):
            break
        block = [number[signature] for signature in signatures]
    member = {one: state for state, one in enumerate(block)}
    rows = {one: [block[target] for target in table[state]] for one, state in member.items()}
    start, reject = block[:2]
    order = [start]
    for one in order:
        for target in rows[one]:
            if target not in (*order, reject):
                order.append(target)
    order.append(reject)
    place = {one: index for index, one in enumerate(order)}
    transitions = tuple(tuple(place[target] for target in rows[one]) for one in order)
    return transitions, tuple(classes[member[one]] for one in order)
