"""What making strings of an automaton costs: symbols generated and labelled a second, on one core."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from timing import Section, Spread, interleaved, timed

from loopwright.tasks.regular.automaton import Automaton
from loopwright.tasks.regular.corpus import make_corpus, sources
from loopwright.tasks.regular.settings import CorpusSettings

# Strings over two symbols with an even number of the first: no cell is small but those of a few symbols.
EVEN = Automaton("ab", ((1, 0), (0, 1), (2, 2)), (1, 0, 0), ("(b*ab*a)*b*",))
LONGEST = 60
ROUNDS = 9
TARGET = 1e6


def measure(*, quick: bool) -> Section:
    """One table: generation with labelling, and the whole corpus with its splits, for several numbers of strings."""
    torch.set_num_threads(1)
    rows: list[tuple[str, ...]] = []
    data: dict[str, Any] = {}
    for count in (2_000,) if quick else (2_000, 20_000, 200_000):
        settings = CorpusSettings(longest=LONGEST, accepted=count // 2, rejected=count // 2, beyond=0)
        symbols = int(make_corpus(EVEN, settings).strings.lengths.sum())
        runs = {
            "strings": lambda s=settings: timed(partial(sources(EVEN, s)["splits"].strings, 0)),
            "corpus": lambda s=settings: timed(partial(make_corpus, EVEN, s)),
        }
        seconds = interleaved(runs, 3 if quick else ROUNDS, f"{count} strings")
        made, whole = (Spread.of([symbols / one / 1e6 for one in seconds[name]]) for name in runs)
        verdict = "met" if made.median * 1e6 > TARGET else "MISSED"
        rows.append((f"{count:,}", f"{symbols:,}", made.shown(1), whole.shown(1), verdict))
        data[str(count)] = {"symbols": symbols, "strings": vars(made), "corpus": vars(whole)}
    return Section(
        title=f"strings of {EVEN.patterns[0]} to {LONGEST} symbols, millions of symbols a second",
        columns=("strings", "symbols", "made and labelled", "corpus with splits", "over 1 million"),
        rows=rows,
        notes=(),
        data=data,
    )
