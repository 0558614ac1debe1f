"""Seeds are grouped, spread is the sample's, and what is within noise is never called better."""

from __future__ import annotations

import statistics

import pytest
from making import make_group, make_run

from loopwright.comparing import compare
from loopwright.comparing.data import of_sample
from loopwright.comparing.document import pills
from loopwright.comparing.numbers import headline, what_it_costs
from loopwright.directions import direction
from loopwright.errors import UsageError

A = [0.50, 0.53, 0.48, 0.51, 0.52]
LOWER = [0.40, 0.42, 0.39, 0.41, 0.43]
ALIKE = [0.51, 0.50, 0.50, 0.52, 0.49]
FASTER = {"optimizer.lr": 0.03}


def test_runs_that_differ_by_their_seed_alone_are_one_group_with_the_samples_spread(tmp_path):
    found = compare([*make_group(tmp_path, A), *make_group(tmp_path, LOWER, first=6, config=FASTER)])
    assert [(group.letter, group.seeds) for group in found.groups] == [("A", [0, 1, 2, 3, 4]), ("B", [0, 1, 2, 3, 4])]
    assert [group.label for group in found.groups] == ["optimizer.lr 0.01", "optimizer.lr 0.03"]
    sample = found.deciding.samples[0]
    assert sample.n == 5
    assert sample.mean == pytest.approx(statistics.fmean(A), abs=1e-15)
    assert sample.deviation == pytest.approx(statistics.stdev(A), abs=1e-15)


def test_a_difference_that_all_pairs_of_five_seeds_show_is_called_better(tmp_path):
    found = compare([*make_group(tmp_path, A), *make_group(tmp_path, LOWER, first=6, config=FASTER)])
    judgement = found.deciding.judgements[1]
    assert (judgement.verdict, judgement.p) == ("better", 1 / 32)
    assert "sign flips of 5 pairs" in judgement.test
    backwards = compare([*make_group(tmp_path / "b", LOWER), *make_group(tmp_path / "b", A, first=6, config=FASTER)])
    assert backwards.deciding.judgements[1].verdict == "worse"


def test_a_metric_that_gets_better_upwards_is_judged_upwards(tmp_path):
    found = compare(
        [*make_group(tmp_path, A), *make_group(tmp_path, LOWER, first=6, config=FASTER)], metric="test.accuracy"
    )
    assert found.deciding.measure.path == "test.best.accuracy"
    assert found.deciding.direction == "max"
    assert found.deciding.judgements[1].verdict == "better"
    assert found.deciding.judgements[1].difference > 0


def test_what_is_within_noise_is_never_called_better_and_the_seeds_it_takes_are_told(tmp_path):
    found = compare([*make_group(tmp_path, A), *make_group(tmp_path, ALIKE, first=6, config=FASTER)])
    judgement = found.deciding.judgements[1]
    assert judgement.verdict == "open"
    assert judgement.p > 0.05
    assert judgement.needed > 5
    assert f"about {judgement.needed} seeds each" in judgement.text
    assert "better" not in judgement.text


def test_one_seed_each_says_nothing_about_noise(tmp_path):
    found = compare([make_run(tmp_path, "001"), make_run(tmp_path, "002", val=0.1, config=FASTER)])
    judgement = found.deciding.judgements[1]
    assert (judgement.verdict, judgement.p, judgement.needed) == ("open", None, None)
    assert "one seed each: no statement about noise" in judgement.text


def test_too_few_seeds_are_said_to_be_too_few(tmp_path):
    found = compare([*make_group(tmp_path, A[:3]), *make_group(tmp_path, LOWER[:3], first=6, config=FASTER)])
    judgement = found.deciding.judgements[1]
    assert (judgement.verdict, judgement.p) == ("open", 1 / 8)
    assert "fewer than 5 seeds can never tell" in judgement.text


def test_groups_with_other_seeds_are_tested_without_pairs(tmp_path):
    others = [
        make_run(tmp_path, f"{20 + seed:03d}", val=value, config={**FASTER, "seed": 10 + seed})
        for seed, value in enumerate(LOWER[:4])
    ]
    judgement = compare([*make_group(tmp_path, A[:4]), *others]).deciding.judgements[1]
    assert judgement.test == "permutations of 4 and 4 seeds"
    assert (judgement.verdict, judgement.p) == ("better", 1 / 70)


def test_a_seed_that_was_run_twice_is_no_second_witness(tmp_path):
    again = make_run(tmp_path, "099", val=0.50)
    found = compare([*make_group(tmp_path, A[:2]), again, make_run(tmp_path, "100", val=0.4, config=FASTER)])
    assert found.deciding.samples[0].n == 2
    assert len(found.groups[0].subjects) == 3


def test_the_baseline_can_be_named(tmp_path):
    first, second = make_group(tmp_path, A[:2]), make_group(tmp_path, LOWER[:2], first=6, config=FASTER)
    found = compare([*first, *second], baseline=second[1])
    assert found.baseline.letter == "A"
    assert found.baseline.label == "optimizer.lr 0.03"
    assert compare(first, baseline=second[0]).baseline.label == "optimizer.lr 0.03"


def test_every_metric_is_there_the_deciding_one_first(tmp_path):
    found = compare([*make_group(tmp_path, A[:2]), *make_group(tmp_path, LOWER[:2], first=6, config=FASTER)])
    assert [result.measure.path for result in found.results] == [
        "val.best.loss",
        "val.last.loss",
        "test.best.loss",
        "test.last.loss",
        "val.best.accuracy",
        "val.last.accuracy",
        "test.best.accuracy",
        "test.last.accuracy",
    ]


def test_a_metric_that_nobody_has_is_answered_with_the_nearest(tmp_path):
    runs = [make_run(tmp_path, "001"), make_run(tmp_path, "002", config=FASTER)]
    with pytest.raises(UsageError, match="did you mean 'accuracy'"):
        compare(runs, metric="accuracies")


def test_runs_that_share_no_metric_cannot_be_compared(tmp_path):
    strange = {"decided_by": {}, **{split: {"best": {"reward": 1.0}} for split in ("train", "val", "test")}}
    runs = [make_run(tmp_path, "001"), make_run(tmp_path, "002", config=FASTER, metrics=strange)]
    with pytest.raises(UsageError, match="share no metric"):
        compare(runs)


def test_a_run_that_failed_before_it_was_measured_is_compared_with_a_healthy_one(tmp_path):
    nothing = {"decided_by": {}, **{split: {} for split in ("train", "val", "test")}}
    failed = make_run(tmp_path, "001", config=FASTER, metrics=nothing)
    (failed / "logs" / "history.jsonl").write_text("")
    healthy = make_run(tmp_path, "002")
    for runs in ([failed, healthy], [healthy, failed]):
        found = compare(runs)
        assert found.deciding.measure.path == "val.best.loss"
        assert found.deciding.judgements[1].text == "not measured in both"


def test_one_seed_each_is_not_said_to_be_within_noise(tmp_path):
    found = compare([make_run(tmp_path, "001"), make_run(tmp_path, "002", config=FASTER, val=0.4)])
    assert pills(found)[1] == ("one seed each", "warn")


def test_a_metric_of_unknown_direction_is_not_judged(tmp_path):
    odd = {"val": {"best": {"warmth": 1.0}}, "test": {}, "decided_by": {}}
    odder = {"val": {"best": {"warmth": 2.0}}, "test": {}, "decided_by": {}}
    config = {"metric": "", "mode": ""}
    runs = [
        make_run(tmp_path, "001", metrics=odd, config=config),
        make_run(tmp_path, "002", metrics=odder, config={**config, **FASTER}),
    ]
    result = compare(runs, metric="warmth").deciding
    assert result.direction == ""
    assert result.judgements[1].verdict == "unjudged"


def test_names_tell_the_direction_and_a_declaration_goes_before_them():
    assert direction("val_loss", {}) == "min"
    assert direction("macro_f1", {}) == "max"
    assert direction("loss_accuracy", {}) == "max"
    assert direction("entropy", {"entropy": "max"}) == "max"
    assert direction("temperature", {}) == ""


def test_what_is_not_finite_is_counted_and_not_judged(tmp_path):
    broken = {"val": {"best": {"loss": "nan"}, "last": {"loss": "nan"}}}
    runs = make_group(tmp_path, LOWER[:2], first=6, config=FASTER)
    runs.append(make_run(tmp_path, "050", config={**FASTER, "seed": 2}, metrics=broken))
    found = compare([*make_group(tmp_path, A[:3]), *runs])
    sample, judgement = found.deciding.samples[1], found.deciding.judgements[1]
    assert (sample.n, sample.lost) == (2, (2,))
    assert judgement.verdict == "open"
    assert "1 of 3 seeds of this gave no finite number" in judgement.text


def test_equal_numbers_are_equal(tmp_path):
    found = compare([*make_group(tmp_path, A), *make_group(tmp_path, A, first=6, config={"optimizer.eps": 1e-9})])
    assert found.deciding.judgements[1].verdict == "equal"


def test_a_field_with_three_values_gets_a_scatter_and_a_geometric_one_a_logarithmic_axis(tmp_path):
    runs = [
        run
        for place, rate in enumerate((0.001, 0.003, 0.01))
        for run in make_group(tmp_path, A[:2], first=1 + 10 * place, config={"optimizer.lr": rate})
    ]
    (scatter,) = compare(runs).scatters
    assert (scatter.field, scatter.numeric, scatter.log) == ("optimizer.lr", True, True)
    assert [(place.value, place.numbers) for place in scatter.places] == [
        ("0.001", (0.50, 0.53)),
        ("0.003", (0.50, 0.53)),
        ("0.01", (0.50, 0.53)),
    ]


def test_the_values_of_a_field_that_are_words_lie_side_by_side(tmp_path):
    runs = [
        make_run(tmp_path, f"{place:03d}", config={"precision": name})
        for place, name in enumerate(("fp32", "bf16", "fp16"), start=1)
    ]
    (scatter,) = compare(runs).scatters
    assert (scatter.numeric, scatter.log, [place.at for place in scatter.places]) == (False, False, [0.0, 1.0, 2.0])


def test_costs_have_the_steps_samples_and_seconds_to_what_every_run_reaches(tmp_path):
    slow = make_run(tmp_path, "001", curve=[0.9, 0.8, 0.7, 0.6])
    fast = make_run(tmp_path, "002", curve=[0.7, 0.6, 0.5, 0.4], config=FASTER)
    found = compare([slow, fast])
    assert (found.target.value, found.target.metric) == (0.6, "loss")
    costs = {cost.name: [sample.mean for sample in cost.samples] for cost in found.costs}
    assert costs["steps to target"] == [40.0, 20.0]
    assert costs["samples to target"] == [400.0, 200.0]
    assert costs["training time to target"] == pytest.approx([4.0, 2.0])
    assert costs["parameters"] == [100.0, 100.0]
    asked = compare([slow, fast], target=0.45)
    assert {cost.name: cost.texts for cost in asked.costs}["steps to target"] == ("never", "40")


def test_memory_is_there_where_it_was_recorded(tmp_path):
    timing = {"timing": {"train_seconds": 1.0, "peak_memory_bytes": 2e9}}
    runs = [make_run(tmp_path, "001", metrics=timing), make_run(tmp_path, "002", metrics=timing, config=FASTER)]
    assert {cost.name: cost.texts for cost in compare(runs).costs}["peak memory"] == ("2,000 MB", "2,000 MB")


def test_what_it_took_to_the_target_is_compared_by_the_medians_that_are_shown(tmp_path):
    slow = [make_run(tmp_path, f"00{place}", curve=[0.9, 0.8, 0.7, 0.6], config={"seed": place}) for place in (1, 2, 3)]
    early = [[0.6, 0.6, 0.6, 0.6], [0.9, 0.6, 0.6, 0.6], [0.9, 0.9, 0.9, 0.6]]
    fast = [
        make_run(tmp_path, f"01{place}", curve=curve, config={**FASTER, "seed": place})
        for place, curve in enumerate(early, start=1)
    ]
    found = compare([*slow, *fast], target=0.65)
    (cost,) = (cost for cost in found.costs if cost.name == "steps to target")
    assert cost.texts == ("40", "20")
    assert cost.middles == [40.0, 20.0]  # the mean of the second is 23.3
    (row,) = (row for row in what_it_costs(found)[0].rows if row[0] == "steps to target")
    assert row[1:] == ["40", "20", "×0.5"]
    assert of_sample(cost.samples[1])["median"] == 20.0


def test_of_many_groups_the_best_is_judged_beside_the_next(tmp_path):
    rates = {0.001: A, 0.003: LOWER, 0.01: ALIKE}
    runs = [
        run
        for place, (rate, values) in enumerate(rates.items())
        for run in make_group(tmp_path, values, first=1 + 10 * place, config={"optimizer.lr": rate})
    ]
    found = compare(runs)
    assert found.ranked == [1, 2, 0]
    assert "The best mean is B's (optimizer.lr 0.003)" in headline(found)
    assert "beside the next, C (optimizer.lr 0.01): −0.09400, better (p = 0.031" in headline(found)
