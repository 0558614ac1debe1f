from __future__ import annotations

import json
import math
import re
import shlex
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import Tensor

from loopwright.cli.train import by_name, overridden
from loopwright.core import State
from loopwright.core.evaluate import evaluate
from loopwright.data.tensors import count
from loopwright.errors import ConfigError
from loopwright.journal import read_history
from loopwright.models.heads import Outputs
from loopwright.protocols import Batch
from loopwright.running import train_one_experiment
from loopwright.store import read_checkpoint
from loopwright.tasks.regular.automaton import Automaton
from loopwright.tasks.regular.encoding import BOS, EOS, FIRST_SYMBOL, PAD, encode
from loopwright.tasks.regular.exact import Optimum
from loopwright.tasks.regular.language import RegularLanguages, spread
from loopwright.tasks.regular.scores import score
from tests.tasks.regular.exhaustive import every_string
from tests.tasks.regular.languages import symbols
from tests.tasks.regular.small import CORPUS, NETWORK, TASK, Changed, new_model, small
from tests.toys import bits, run


def batch_of(*texts: str) -> Batch:
    tensors = encode(TASK.automaton, symbols(TASK.automaton, *texts))
    weights = {name: float(tensors["loss_mask"].sum()) for name in ("next", "class", "state")}
    return Batch(tensors, weights, torch.arange(len(texts)))


BATCH = batch_of("", "a", "aaaaaaab", "abab", "cab")
"""The empty string, one symbol, the longest length."""


def gradients(task: RegularLanguages, model: torch.nn.Module) -> tuple[dict[str, Tensor], list[Tensor | None]]:
    model.zero_grad()
    parts = task.loss(model, BATCH)
    sum(parts.values()).backward()
    return parts, [None if weight.grad is None else weight.grad.clone() for weight in model.parameters()]


def same(one: list[Tensor | None], other: list[Tensor | None]) -> bool:
    return all(a is b is None or torch.equal(a, b) for a, b in zip(one, other, strict=True))


def garbage(tokens: Tensor, outputs: Outputs) -> Outputs:
    """Other logits where nothing is asked: at EOS, the last token, and at PAD."""
    there = (tokens == EOS) | (tokens == PAD)
    return Outputs(*(torch.where(there[..., None], 7.0 + 3 * logits.flip(-1), logits) for logits in outputs))


def test_what_is_answered_at_padding_and_at_the_end_changes_no_bit_of_loss_and_gradients():
    parts, found = gradients(TASK, new_model())
    spoiled, there = gradients(TASK, Changed(new_model(), garbage))
    assert {name: part.item() for name, part in parts.items()} == {n: part.item() for n, part in spoiled.items()}
    assert same(found, there)


def test_what_is_answered_where_something_is_asked_does_change_the_loss():
    def shift(tokens: Tensor, outputs: Outputs) -> Outputs:
        return Outputs(*(logits + (tokens == BOS)[..., None] * torch.arange(logits.shape[-1]) for logits in outputs))

    one, other = TASK.loss(new_model(), BATCH), TASK.loss(Changed(new_model(), shift), BATCH)
    assert all(one[name] != other[name] for name in one)


@pytest.mark.parametrize("name", ["next", "class", "state"])
def test_a_doubled_weight_doubles_its_component_and_no_other(name):
    once = TASK.loss(new_model(), BATCH)
    doubled = replace(TASK, **{f"{name}_weight": 2.0}).loss(new_model(), BATCH)
    assert {key: part.item() for key, part in doubled.items()} == {
        key: part.item() * (2 if key == name else 1) for key, part in once.items()
    }


@pytest.mark.parametrize(("name", "place"), [("next", 0), ("class", 1), ("state", 2)])
def test_a_weight_of_0_removes_a_component_even_one_that_is_not_a_number(name, place):
    def ruin(tokens: Tensor, outputs: Outputs) -> Outputs:
        return Outputs(*(logits * math.nan if n == place else logits for n, logits in enumerate(outputs)))

    task = replace(TASK, **{f"{name}_weight": 0.0})
    parts, found = gradients(task, Changed(new_model(), ruin))
    assert parts.keys() == {"next", "class", "state"} - {name}
    assert all(gradient is None or gradient.isfinite().all() for gradient in found)
    assert same(found, gradients(task, new_model())[1])
    assert math.isfinite(evaluate(task, Changed(new_model(), ruin), "val")["loss"])


@pytest.mark.parametrize("changes", [{"batch_size": 8}, {"batch_size": 16}, {"batch_size": 16, "shards": 4}])
def test_the_penalty_is_counted_once_a_step_however_it_is_cut(changes):
    task = replace(TASK, l1_u=0.25)
    experiment = small(task, steps=1, **changes)
    penalty = State.create(experiment).model.embedding.u.abs().sum()
    _, records, _ = run(experiment)
    assert records.steps[0].parts["l1_u"].item() == 0.25 * penalty.item()


def test_the_penalty_is_the_same_with_shards_of_different_sizes():
    experiment = small(replace(TASK, l1_u=0.25), steps=1, batch_size=15, shards=4)
    penalty = State.create(experiment).model.embedding.u.abs().sum()
    _, records, _ = run(experiment)
    assert records.steps[0].parts["l1_u"].item() == pytest.approx(0.25 * penalty.item(), rel=1e-6)  # fifteen fifteenths


def test_the_loss_of_an_evaluation_is_the_one_that_training_lowers():
    task = replace(TASK, next_weight=0.5, state_weight=2.0, l1_u=0.01)
    model = new_model(task)
    sums, weights = {}, {}
    for batch in task.data.scan("val"):
        for name, part in task.loss(model, batch).items():
            sums[name] = sums.get(name, 0.0) + part.item()
            weights[name] = weights.get(name, 0.0) + batch.weights[name]
    trained = sum(sums[name] / weights[name] for name in sums)
    assert evaluate(task, model, "val")["loss"] == pytest.approx(trained, rel=1e-6)  # float32 against float64


def test_losses_and_metrics_are_divided_by_the_same_number_of_positions():
    for split, strings in TASK.strings.sets.items():
        positions = int((strings.lengths + 1).sum())
        if split in TASK.data.splits:
            weights = [batch.weights for batch in TASK.data.scan(split, 7)]
            for asked in ("next", "class", "state"):
                assert sum(weight[asked] for weight in weights) == positions
        scores = score(new_model(), TASK.automaton, encode(TASK.automaton, strings.symbols))
        assert int(scores.mask.sum()) == positions


def test_a_batch_weighs_the_penalty_with_its_samples():
    data = replace(TASK, l1_u=0.1).data
    assert [batch.weights["l1_u"] for batch in data.scan("val", 7)] == [
        count("l1_u")(batch.tensors)["l1_u"] for batch in data.scan("val", 7)
    ]


def test_strings_of_all_lengths_in_one_batch_cost_what_they_cost_alone():
    together = TASK.loss(new_model(), BATCH)
    alone = [TASK.loss(new_model(), batch_of(text)) for text in ("", "a", "aaaaaaab", "abab", "cab")]
    for name, part in together.items():
        assert part.item() == pytest.approx(sum(parts[name].item() for parts in alone), rel=1e-5)  # float32 sums


def test_evaluating_twice_gives_the_same_and_so_do_fewer_strings_at_once(monkeypatch):
    model = new_model()
    whole = evaluate(TASK, model, "test")
    assert evaluate(TASK, model, "test") == whole
    monkeypatch.setattr("loopwright.tasks.regular.scores.ROWS", 7)
    assert evaluate(TASK, model, "test") == pytest.approx(whole, abs=1e-6)  # matrices of other shapes round otherwise


def test_only_the_test_split_is_told_with_the_unseen_sets():
    task = replace(TASK, corpus=replace(CORPUS, held_out=("0:c",), unseen_rejected=0))
    task = replace(task, patterns=("a*b|c", "(ab)*"))
    assert task.automaton.step(0, "c") != task.automaton.reject
    test, val = (evaluate(task, new_model(task), split) for split in ("test", "val"))
    assert val.keys() < test.keys()
    others = test.keys() - val.keys()
    assert {key for key in others if not key.startswith("acceptance_")} == {
        f"{name}_{unseen}"
        for name in ("token_accuracy", "class_accuracy", "state_accuracy", "legal_rate")
        for unseen in ("beyond", "edges")
    }
    spans = ["0_to_2", "3_to_5", "6_to_8", "9_to_9", "10_to_10", "11_to_12", "beyond", "edges"]
    assert {key for key in others if key.startswith("acceptance_")} == {f"acceptance_{span}" for span in spans}


def test_the_bins_of_lengths_are_of_the_test_split_and_of_longer_strings():
    task = replace(TASK, corpus=replace(CORPUS, held_out=("1:b",), unseen_rejected=0))
    found = evaluate(task, new_model(task), "test")
    for name, spans in (("", [(0, 2), (3, 5), (6, 8)]), ("_beyond", [(9, 9), (10, 10), (11, 12)])):
        lengths = task.strings.sets[name[1:] or "test"].lengths
        counts = [int(((lengths >= first) & (lengths <= last)).sum()) for first, last in spans]
        right = [found[f"acceptance_{first}_to_{last}"] for first, last in spans]
        whole = sum(share * number for share, number in zip(right, counts, strict=True)) / len(lengths)
        assert whole == pytest.approx(found[f"acceptance{name}"], rel=1e-12)  # the same whole numbers


def test_without_longer_strings_there_are_the_bins_of_training_alone():
    task = replace(TASK, corpus=replace(CORPUS, beyond=0))
    found = evaluate(task, new_model(task), "test")
    assert [key for key in found if key.startswith("acceptance_")] == [
        "acceptance_0_to_2",
        "acceptance_3_to_5",
        "acceptance_6_to_8",
    ]


def source_knower(task: RegularLanguages) -> Changed:
    """Answers with the probabilities of the next token, added up from those of all strings that go on so."""
    strings = every_string(task.automaton, task.corpus.longest)
    masses = Optimum(task.strings.sources["splits"]).log_prob(strings)
    behind: dict[tuple[int, ...], dict[int, list[float]]] = {}
    for row, mass in zip(strings.symbols.tolist(), masses.tolist(), strict=True):
        tokens = (BOS, *(number + FIRST_SYMBOL for number in row if number >= 0), EOS)
        for end, (_, following) in enumerate(pairwise(tokens), 1):
            behind.setdefault(tokens[:end], {}).setdefault(following, []).append(math.exp(mass))

    def answer(tokens: Tensor, outputs: Outputs) -> Outputs:
        logits = torch.full(outputs.next.shape, -1e4, dtype=torch.float64)
        for row, ids in enumerate(tokens.tolist()):
            for place in range(tokens.shape[1]):
                for token, parts in behind.get(tuple(ids[: place + 1]), {}).items():
                    logits[row, place, token] = math.log(math.fsum(parts) or 1e-300)
        return outputs._replace(next=logits)

    return Changed(new_model(task), answer)


def test_who_knows_the_source_has_no_excess_and_the_accuracy_that_is_expected():
    corpus = replace(CORPUS, longest=5, accepted=60, rejected=300, fractions=(0.1, 0.1, 0.8), beyond=0)
    task = replace(TASK, corpus=corpus)
    found = evaluate(task, source_knower(task), "test")
    assert abs(found["excess_nll"]) < 1e-9
    assert found["token_accuracy"] == pytest.approx(found["token_accuracy_optimum"], abs=0.05)  # of some 200 strings
    assert evaluate(task, new_model(task), "test")["excess_nll"] > 0.1


VARIANTS = {
    "bf16": {"precision": "bf16"},
    "4 shards": {"shards": 4},
    "penalized LSTM": {"task": replace(TASK, network=replace(NETWORK, kind="lstm", rank=3), l1_u=0.01)},
    "GRU without a state": {"task": replace(TASK, network=replace(NETWORK, kind="gru"), state_weight=0.0)},
    "dropout, random positions": {
        "task": replace(TASK, network=replace(NETWORK, dropout=0.1, positions="random", tied=False))
    },
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_resumed_run_has_the_bits_of_one_that_was_not_stopped(name):
    experiment = small(**VARIANTS[name], save_every=3)
    whole, records, memory = run(experiment)
    resumed, rest, _ = run(experiment, memory.saved[3])
    assert bits(resumed) == bits(whole)
    assert rest.losses() == records.losses()[3:]
    assert all(math.isfinite(loss) for loss in records.losses())


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run with every part of the task."""
    corpus = replace(CORPUS, held_out=("1:b",))
    task = replace(TASK, corpus=corpus, l1_u=0.01, look_at=2)
    return task, train_one_experiment(small(task), tmp_path_factory.mktemp("runs"))


def test_all_components_are_in_the_history(finished):
    _, directory = finished
    steps = [record for record in read_history(directory / "logs/history.jsonl") if record["kind"] == "step"]
    assert len(steps) == 10
    for step in steps:
        assert step["loss"].keys() == {"total", "next", "class", "state", "l1_u"}
        assert all(value > 0 for value in step["loss"].values())


def test_the_artifacts_are_there_and_say_what_the_corpus_is(finished):
    task, directory = finished
    found = directory / "artifacts"
    assert Automaton.load(found / "fsm.json") == task.automaton
    corpus = json.loads((found / "corpus.json").read_text())
    assert corpus["sets"].keys() == {"train", "val", "test", "beyond", "edges"}
    assert set(corpus["shared"].values()) == {0}
    assert {held["duplicates"] for held in corpus["sets"].values()} == {0}
    assert {path.name for path in found.iterdir()} == {
        *("fsm.json", "corpus.json", "sets.json", "by-length.json", "by-transition.json", "confusion-matrix.json"),
        *("mistakes.json", "by-length.svg", "automaton.svg", "attention-automaton.svg", "hidden-states.svg", "look.pt"),
        *(f"{what}-{number}.svg" for what in ("attention", "hidden") for number in (1, 2)),
    }


def test_the_table_of_transitions_is_of_all_sets_and_says_what_training_never_saw(finished):
    task, directory = finished
    table = json.loads((directory / "artifacts/by-transition.json").read_text())
    assert [row[:2] for row in table["rows"] if row[3] == "no"] == [["1", "b"]]
    sets = task.strings.sets
    assert sum(row[4] for row in table["rows"]) == sum(
        int(sets[name].lengths.sum()) for name in ("test", "beyond", "edges")
    )


def test_the_lengths_are_told_without_the_strings_of_held_out_transitions(finished):
    task, directory = finished
    table = json.loads((directory / "artifacts/by-length.json").read_text())
    assert sum(row[1] for row in table["rows"]) == len(task.strings.sets["test"]) + len(task.strings.sets["beyond"])


def test_what_was_looked_at_is_of_the_best_weights(finished):
    task, directory = finished
    held = read_checkpoint(directory / "artifacts/look.pt")["tensors"]
    model = new_model(task)
    model.load_state_dict(read_checkpoint(directory / "checkpoints/best.pt")["state"]["model"])
    rows = spread(2, task.data.size("test"))
    asked = {name: tensor[rows] for name, tensor in task.data.splits["test"].items()}
    with torch.no_grad():
        seen = model.look(asked["tokens"], asked["attention_mask"])
    assert torch.equal(held["hidden"], seen.hidden)
    assert torch.equal(held["maps"], seen.maps)
    assert torch.equal(held["states"], asked["state"])


def test_the_strings_that_are_looked_at_are_spread_over_all():
    assert spread(3, 12).tolist() == [2, 6, 10]
    assert spread(9, 2).tolist() == [0, 1]
    assert spread(1, 7).tolist() == [3]
    assert spread(3, 0).tolist() == []


def test_nothing_is_looked_at_unless_asked_for(tmp_path):
    TASK.artifacts(new_model(), tmp_path)
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(("look", "attention", "hidden"))]


def test_where_all_strings_are_trained_on_the_tables_are_of_those(tmp_path):
    task = replace(TASK, corpus=replace(CORPUS, fractions=(0.8, 0.2, 0.0), beyond=0))
    task.artifacts(new_model(task), tmp_path)
    table = json.loads((tmp_path / "by-length.json").read_text())
    assert sum(row[1] for row in table["rows"]) == task.data.size("train")


def test_a_shown_sample_is_its_string_with_its_states_and_its_class():
    assert TASK.show(BATCH, 3) == f"'abab', class 2\nstates {' '.join(map(str, TASK.automaton.trace('abab')))}"
    assert TASK.show(BATCH, 0).splitlines() == ["'', class 2", "states 0"]
    assert TASK.show(BATCH, 4).splitlines()[0] == "'cab', class 0"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"next_weight": -1.0}, "loss weights next -1, class 1, state 1, l1_u 0: each must be 0 or above"),
        ({"class_weight": math.nan}, "class nan"),
        ({"l1_u": math.inf}, "l1_u inf"),
        ({"next_weight": 0.0, "class_weight": 0.0, "state_weight": 0.0, "l1_u": 1.0}, "one beside l1_u above 0"),
        ({"look_at": 99}, "look_at 99: choose 0 to 16 strings"),
        ({"patterns": ("a(b",)}, "place 1 of the pattern"),
        ({"patterns": ("a*d",)}, "symbol 'd' is not in the alphabet 'abc'"),
        ({"patterns": ("a*", "a")}, "class 2 has no strings"),
        ({"network": replace(NETWORK, most_positions=10)}, "most_positions 10: the longest sequence has 14 tokens"),
    ],
)
def test_what_cannot_be_is_told_before_training(changes, message):
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        State.create(small(replace(TASK, **changes)).check())


DOCS = Path(__file__).parents[3] / "docs/regular-languages.md"


@pytest.mark.parametrize("command", re.findall("^loopwright train (.*)$", DOCS.read_text(), re.MULTILINE))
def test_the_commands_of_the_documentation_describe_experiments(command):
    name, *flags = shlex.split(command)
    made, _ = by_name(name)
    task = overridden(made, flags).task
    assert task.automaton.num_classes == len(task.patterns) + 1
    assert set(task.weights) >= {"next", "class"}


def test_the_documented_alignment_is_the_one_that_there_is():
    table = re.findall(r"^\| (?:token|next token|state|class).*?\|(.*)\|$", DOCS.read_text(), re.MULTILINE)
    told = [[cell.strip() for cell in row.split("|")] for row in table[:4]]
    automaton = RegularLanguages(patterns=("a*b*",)).automaton
    encoded = encode(automaton, symbols(automaton, "ab"))
    words = {PAD: "PAD", BOS: "BOS", EOS: "EOS", FIRST_SYMBOL: "a", FIRST_SYMBOL + 1: "b"}
    asked = encoded["loss_mask"][0]
    assert told[0] == [words[token] for token in encoded["tokens"][0].tolist()]
    for row, name in zip(told[1:], ("next", "state", "class"), strict=True):
        values = encoded[name][0][asked].tolist()
        assert row == [*(words[value] if name == "next" else str(value) for value in values), ""]
