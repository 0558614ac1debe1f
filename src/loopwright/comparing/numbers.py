"""The tables of numbers: the deciding result, all metrics, and quality beside its cost."""

from __future__ import annotations

from collections.abc import Sequence

from loopwright.comparing.blocks import Block, Bullets, Table, Text
from loopwright.comparing.comparison import Comparison, Result
from loopwright.comparing.costs import spread
from loopwright.comparing.groups import Group, Sample
from loopwright.comparing.judging import Judgement, judge, ranking
from loopwright.report.values import show_metric

MOST_GROUPS = 12
"""Columns of a table; further groups stand in comparison.json."""

LONG = 8
"""Rows; a longer table is folded."""

VERDICTS = {"better": "better", "worse": "worse", "equal": "equal", "open": "not told apart", "unjudged": "not judged"}


def headline(comparison: Comparison) -> str:
    """The answer, in one or two sentences."""
    name, judgements = comparison.deciding.measure.name, comparison.deciding.judgements
    if not comparison.contrasts:
        reached = told(comparison.deciding.samples[0])
        return f"All runs have one setting; there is nothing to judge but the noise between seeds: {name} {reached}."
    if len(comparison.contrasts) == 1 and judgements[1] is not None:
        group, base = comparison.contrasts[0].group, comparison.baseline.letter
        return f"{name}: {group.letter} ({group.label}) beside {base}: {judgements[1].text}."
    judged = [(group.letter, one) for group, one in zip(comparison.groups, judgements, strict=True) if one is not None]
    return f"{name}: {ranking(judged)}.{leading(comparison)}"


def leading(comparison: Comparison) -> str:
    """The best mean of several, and whether it is more than noise ahead of the next."""
    if len(comparison.ranked) < 2:
        return ""
    groups = [comparison.groups[place] for place in comparison.ranked[:2]]
    best, second = (comparison.deciding.samples[place] for place in comparison.ranked[:2])
    beside = judge(second, best, comparison.deciding.direction).text
    mean = f"The best mean is {groups[0].letter}'s ({groups[0].label}), {told(best)}"
    return f" {mean}; beside the next, {groups[1].letter} ({groups[1].label}): {beside}."


def told(sample: Sample) -> str:
    """`0.93 ± 0.01 (n = 5)`."""
    return f"{means(sample)} (n = {sample.n})" if sample.n > 1 else means(sample)


def means(sample: Sample) -> str:
    """`0.93 ± 0.01`."""
    return spread(sample, show_metric) if sample.n else "not measured"


def heading(comparison: Comparison, group: Group) -> str:
    """The head of a group's column."""
    return f"{group.letter} (baseline)" if group is comparison.baseline else group.letter


def what_happened(comparison: Comparison) -> list[Block]:
    """The deciding result in words, then every number."""
    deciding = comparison.deciding
    rows, said = [], []
    for group, sample, one in zip(comparison.groups, deciding.samples, deciding.judgements, strict=True):
        mean, deviation = show_metric(sample.mean), show_metric(sample.deviation)
        beside = "baseline" if one is None else word(one)
        rows.append([group.letter, group.label, str(sample.n), mean, deviation, beside])
        said += [] if one is None else [f"{group.letter} beside {comparison.baseline.letter}: {one.text}."]
    columns = ["group", "", "n", deciding.measure.name, "sd", "beside the baseline"]
    note = "n: seeds; sd: sample standard deviation over them. From metrics.json of each run."
    table = Table(columns, rows, strong=ahead(comparison), note=note)
    several = [Text(headline(comparison))] if len(said) != 1 else []
    texts = [Bullets(said[:MOST_GROUPS])] if said else []
    return [*several, table, *texts, all_results(comparison)]


def ahead(comparison: Comparison) -> frozenset[int]:
    """The group with the best mean, where it is more than noise ahead of the baseline."""
    judgement = comparison.deciding.judgements[comparison.leader or 0]
    known = comparison.leader is not None and judgement is not None and judgement.verdict == "better"
    return frozenset({comparison.leader or 0} if known else ())


def all_results(comparison: Comparison) -> Block:
    """Every metric of val and test, of the best and the last weights, for each group."""
    shown = comparison.groups[:MOST_GROUPS]
    pair = len(shown) == 2
    rows = []
    for result in comparison.results:
        verdict = [word(result.judgements[1])] if pair else []
        cells = [fewer(sample, group) for sample, group in zip(result.samples, shown, strict=False)]
        rows.append([result.measure.name, *cells, *verdict])
    columns = ["metric", *(heading(comparison, group) for group in shown), *(["B beside A"] if pair else [])]
    more = len(comparison.groups) - len(shown)
    note = f"{more} more groups are in comparison.json." if more else ""
    return Table(columns, rows, note=note, folded=f"All {len(rows)} metrics" if len(rows) > LONG else "")


def fewer(sample: Sample, group: Group) -> str:
    """Mean and spread, with the number of seeds where it is not that of the whole group."""
    return f"{means(sample)} (n = {sample.n})" if 0 < sample.n < len(group.seeds) else means(sample)


def word(judgement: Judgement | None) -> str:
    """A judgement in a word or two."""
    if judgement is None:
        return ""
    if judgement.p is not None:
        return f"{VERDICTS[judgement.verdict]} (p = {judgement.p:.2g})"
    if judgement.verdict == "open":
        return "one seed each" if "one seed" in judgement.text else "cannot be told"
    return VERDICTS[judgement.verdict]


def what_it_costs(comparison: Comparison) -> list[Block]:
    """Quality and cost in one table: the trade-offs."""
    shown = comparison.groups[:MOST_GROUPS]
    rows = [
        [
            result.measure.name,
            *map(means, result.samples[: len(shown)]),
            *ratio([one.mean for one in result.samples], shown),
        ]
        for result in comparison.results
        if is_quality(result, comparison)
    ]
    rows += [[cost.name, *cost.texts[: len(shown)], *ratio(cost.middles, shown)] for cost in comparison.costs]
    columns = ["", *(heading(comparison, group) for group in shown), *(["B / A"] if len(shown) == 2 else [])]
    targets = [f"Target: {cost.note}." for cost in comparison.costs if cost.note]
    return [Table(columns, rows, note=" ".join([*targets, "From metrics.json and logs/history.jsonl."]))]


def is_quality(result: Result, comparison: Comparison) -> bool:
    """Whether it is the deciding metric of the weights that decide, on some split."""
    measure, decides = result.measure, comparison.deciding.measure
    return (measure.metric, measure.which) == (decides.metric, decides.which)


def ratio(middles: Sequence[float | None], shown: Sequence[Group]) -> list[str]:
    """How many times as much the second of two groups has."""
    if len(shown) != 2:
        return []
    one, other = middles[:2]
    return [f"×{other / one:.3g}" if one and other is not None else "–"]
