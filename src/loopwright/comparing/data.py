"""A comparison as plain values, for `--json` and comparison.json."""

from __future__ import annotations

import json
from typing import Any

from loopwright.comparing.comparison import Comparison, Result
from loopwright.comparing.document import Document
from loopwright.comparing.groups import Sample
from loopwright.lines import finite

MADE_BY = "loopwright compare"


def as_data(comparison: Comparison, document: Document) -> dict[str, Any]:
    """Everything that was found, with groups by letter."""
    letters = [group.letter for group in comparison.groups]
    return {
        "made_by": MADE_BY,
        "verdict": document.sentence,
        "controlled": comparison.controlled,
        "baseline": comparison.baseline.letter,
        "groups": [
            {
                "letter": group.letter,
                "label": group.label,
                "seeds": group.seeds,
                "runs": [
                    {"run": str(run.path), "seed": run.seed, "status": run.status, "steps": run.steps}
                    for run in group.subjects
                ],
            }
            for group in comparison.groups
        ],
        "changed": {key.name: dict(zip(letters, key.values, strict=True)) for key in comparison.keys},
        "unchanged": comparison.unchanged,
        "contrasts": [
            {
                "group": contrast.group.letter,
                "changes": [change.name for change in contrast.changes],
                "told": contrast.told,
                "controlled": contrast.controlled,
                "reasons": [{"kind": reason.kind, "text": reason.text} for reason in contrast.reasons],
            }
            for contrast in comparison.contrasts
        ],
        "deciding": comparison.deciding.measure.path,
        "results": [of_result(result, letters) for result in comparison.results],
        "target": comparison.target and vars(comparison.target),
        "costs": {
            cost.name: {letter: of_sample(one) for letter, one in zip(letters, cost.samples, strict=True)}
            for cost in comparison.costs
        },
        "fields": {
            one.field: {place.value: list(place.numbers) for place in one.places} for one in comparison.scatters
        },
        "failed_run": document.lesson and {**vars(document.lesson), "run": str(document.lesson.run)},
        "next": [{"text": one.text, "commands": list(one.commands)} for one in document.suggestions],
        "caveats": document.caveats,
        "notes": list(comparison.notes),
    }


def as_json(comparison: Comparison, document: Document, **more: Any) -> str:
    """The same as JSON; numbers that are not finite as text."""
    return json.dumps(finite({**as_data(comparison, document), **more}), indent=2, default=str)


def of_sample(sample: Sample) -> dict[str, Any]:
    """The numbers of a group."""
    return {
        "n": sample.n,
        "mean": sample.mean,
        "median": sample.median,
        "sd": sample.deviation,
        "by_seed": {str(seed): value for seed, value in sample.by_seed.items()},
        "not_finite": [str(seed) for seed in sample.lost],
    }


def of_result(result: Result, letters: list[str]) -> dict[str, Any]:
    """A measure, by group, with what can be said of it."""
    groups = {}
    for letter, sample, judgement in zip(letters, result.samples, result.judgements, strict=True):
        groups[letter] = of_sample(sample) | ({} if judgement is None else {"beside_baseline": vars(judgement)})
    return {"measure": result.measure.path, "direction": result.direction or None, "groups": groups}
