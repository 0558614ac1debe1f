from __future__ import annotations

from dataclasses import replace

import pytest

from loopwright.experiments.digits import digits_cnn, digits_loader
from tests.toys import bits, run


def test_the_number_of_loader_workers_changes_no_bit_and_neither_does_a_resume():
    def with_workers(num_workers):
        base = digits_loader()
        return replace(
            base, task=replace(base.task, width=4, num_workers=num_workers), steps=12, eval_every=6, device="cpu"
        )

    whole, records, memory = run(with_workers(0))
    for num_workers in (1, 2):
        other, again, _ = run(with_workers(num_workers))
        assert bits(other) == bits(whole)
        assert again.validations == records.validations
    rest, _, _ = run(with_workers(2), memory.saved[6])
    assert bits(rest) == bits(whole)


def test_the_loss_of_an_untrained_network_is_at_chance():
    for experiment in (digits_cnn(), digits_loader()):
        _, records, _ = run(replace(experiment, steps=1, device="cpu", threads=1))
        # Ten classes, a random network: within a tenth of ln 10.
        assert records.losses()[0] == pytest.approx(experiment.expect.initial_loss, rel=0.1)


@pytest.mark.slow
def test_digits_cnn_reaches_985_per_mille_on_the_test_split_in_the_mean_of_five_seeds():
    reached = []
    for seed in range(5):
        experiment = replace(digits_cnn(), seed=seed, device="cpu", threads=1)
        state, _, memory = run(experiment)
        state.load_state_dict(memory.saved[memory.best[-1]])
        state.model.eval()
        reached.append(experiment.task.evaluate(state.model, "test")["accuracy"])
    assert sum(reached) / 5 >= 0.985, reached
