"""Strings that were taken for what they are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loopwright.metrics import Table
from loopwright.tasks.regular.encoding import decode, last
from loopwright.tasks.regular.scores import Scores

SHOWN = 24


def mistakes_table(sets: Mapping[str, Scores], names: Sequence[str]) -> Table:
    """Of each of the `sets`, by name, the strings whose class at their end was said wrong; the worst first, that is
    those to whose class the model gave least. `names`: the classes'."""
    found = [mistake for name, scores in sets.items() for mistake in _mistakes(name, scores, names)]
    found.sort(key=lambda row: (-float(row[0]), str(row[-1])))
    columns = ["nats", "set", "is", "taken for", "symbols", "state wrong from", "string"]
    total = sum(len(scores.lengths) for scores in sets.values())
    worst = f"; these {SHOWN} cost most" if len(found) > SHOWN else ""
    told = f"{len(found):,} of {total:,} strings were taken for something else{worst}."
    note = f"{told} Nats: what the right class cost; 0.69 is a guess among two."
    return Table(title="Strings", columns=columns, rows=found[:SHOWN], note=note)


def _mistakes(name: str, scores: Scores, names: Sequence[str]) -> list[list[str | int | float]]:
    said, asked = scores.final("said"), scores.final("asked")
    nats = scores.nll["class"].detach().gather(1, last(scores.encoded)[:, None]).squeeze(1)
    lost = scores.mask & ~scores.right("state")
    return [
        [
            round(float(nats[row]), 4),
            name,
            names[int(asked[row])],
            names[int(said[row])],
            int(scores.lengths[row]),
            # Position 0 is the start, before any symbol.
            int(lost[row].int().argmax()) if lost[row].any() else "nowhere",
            decode(scores.automaton, scores.encoded["tokens"][row]) or "(empty)",
        ]
        for row in (said != asked).nonzero().flatten().tolist()
    ]
