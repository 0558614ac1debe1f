"""Learning regular languages: of each prefix of a string its next token, its class and the automaton's state."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from loopwright import losses
from loopwright.core.fsdp import is_sharded
from loopwright.data.sequences import SequenceData
from loopwright.errors import ConfigError
from loopwright.files import write_text
from loopwright.metrics import confusion_table
from loopwright.models.embedding import Embedding
from loopwright.protocols import Batch, Split
from loopwright.tasks.packages import require_packages
from loopwright.tasks.regular.automaton import Automaton
from loopwright.tasks.regular.corpus import Corpus, make_corpus
from loopwright.tasks.regular.curves import (
    bins,
    by_bin,
    draw_lengths,
    edge_accuracy,
    edge_table,
    joined,
    length_table,
    whole_strings,
)
from loopwright.tasks.regular.drawing import draw_automaton
from loopwright.tasks.regular.encoding import decode, encode, vocabulary_size
from loopwright.tasks.regular.exact import Optimum
from loopwright.tasks.regular.looking import check_look_at, look
from loopwright.tasks.regular.mistakes import mistakes_table
from loopwright.tasks.regular.network import Network
from loopwright.tasks.regular.patterns import compile_patterns
from loopwright.tasks.regular.scores import ASKED, Scores, mean, score
from loopwright.tasks.regular.settings import CorpusSettings
from loopwright.tasks.regular.telemetry import sets_table, telemetry
from loopwright.tasks.tables import write_table


@dataclass(frozen=True)
class Weigh:
    """Weighs each component of the loss with the positions it is counted at, the penalty with the samples."""

    names: tuple[str, ...]

    def __call__(self, tensors: Mapping[str, Tensor]) -> dict[str, float]:
        """By component."""
        positions, samples = float(tensors["loss_mask"].sum()), float(len(tensors["length"]))
        return {name: samples if name == "l1_u" else positions for name in self.names}


@dataclass(frozen=True)
class RegularLanguages:
    """Strings of the regular expressions `patterns`; those of the first have class 1, and so on, those of none 0. A
    string that several have belongs to the first of them.

    Each `…_weight` is that component's factor in the loss, `l1_u` the penalty's on the embedding's factor; 0 leaves a
    component out. `look_at` strings, spread over the test split, are drawn with the attention and hidden states.
    """

    patterns: tuple[str, ...] = ("a*b*",)
    alphabet: str = "ab"
    corpus: CorpusSettings = field(default_factory=CorpusSettings)
    network: Network = field(default_factory=Network)
    next_weight: float = 1.0
    class_weight: float = 1.0
    state_weight: float = 1.0
    l1_u: float = 0.0
    look_at: int = 0

    @cached_property
    def automaton(self) -> Automaton:
        """The minimal automaton. Raises ConfigError for an expression that is none, with the place."""
        require_packages("greenery", extra="regular")
        return compile_patterns([(pattern, number) for number, pattern in enumerate(self.patterns, 1)], self.alphabet)

    @cached_property
    def strings(self) -> Corpus:
        """All sets of strings. Raises DataError for what the automaton cannot give."""
        return make_corpus(self.automaton, self.corpus)

    @cached_property
    def data(self) -> SequenceData:
        """The three splits, encoded (see `encoding`)."""
        splits: dict[Split, Mapping[str, Tensor]] = {
            split: encode(self.automaton, self.strings.strings.symbols[rows])
            for split, rows in self.strings.splits.items()
        }
        return SequenceData(splits, Weigh(tuple(self.weights)))

    @cached_property
    def weights(self) -> dict[str, float]:
        """The factors of the components that count. Raises ConfigError where none does, or one is negative."""
        factors = {"next": self.next_weight, "class": self.class_weight, "state": self.state_weight, "l1_u": self.l1_u}
        if not all(0 <= factor < math.inf for factor in factors.values()) or not any(factors[asked] for asked in ASKED):
            told = ", ".join(f"{name} {factor:g}" for name, factor in factors.items())
            raise ConfigError(f"loss weights {told}: each must be 0 or above and finite, one beside l1_u above 0")
        return {name: factor for name, factor in factors.items() if factor}

    def model(self) -> nn.Module:
        """The network, for the longest string of any set. Raises ConfigError where it cannot be built."""
        check_look_at(self.look_at)
        return self.network.build(
            vocabulary=vocabulary_size(self.automaton),
            classes=self.automaton.num_classes,
            states=len(self.automaton.transitions),
            longest=max(self.corpus.longest, self.corpus.beyond) + 2,
            trained=self.corpus.longest + 2,
        )

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """The cross-entropies of next token, class and state where the loss mask is True, and the penalty."""
        outputs = model(batch["tokens"], batch["attention_mask"])
        parts = {
            asked: losses.cross_entropy(logits, batch[asked], batch["loss_mask"])
            for asked, logits in zip(ASKED, outputs, strict=True)
            if asked in self.weights
        }
        if self.l1_u:
            parts["l1_u"] = len(batch) * penalized(model)
        return losses.weighted(parts, self.weights)

    def evaluate(self, model: nn.Module, split: Split) -> dict[str, float]:
        """What is right of a split (`Scores.summary`), beside the best that can be; of the unseen sets, too, with the
        test split."""
        scores = score(model, self.automaton, self.data.splits[split])
        found = {"loss": self.total(model, scores)} | scores.summary() | self.beside_the_optimum(scores, split)
        if split == "test":
            unseen = self.unseen(model)
            for name, others in unseen.items():
                found |= {f"{key}_{name}": value for key, value in others.summary().items()}
            found |= by_bin(joined([scores, *(unseen[name] for name in unseen if name == "beyond")]), self.spans)
        return found

    def total(self, model: nn.Module, scores: Scores) -> float:
        """The loss that training lowers, over a whole split."""
        penalty = self.l1_u * float(penalized(model)) if self.l1_u else 0.0
        counted = [asked for asked in ASKED if asked in self.weights]
        return penalty + sum(self.weights[asked] * scores.mean_nll(asked) for asked in counted)

    def beside_the_optimum(self, scores: Scores, split: Split) -> dict[str, float]:
        """The next token's NLL in nats a position, how much it is above that of who knows the strings' source exactly,
        and the accuracy which that one would be expected to have; the state's NLL, whose best is 0."""
        best = self.optimum.next_tokens(self.strings.sets[split])
        mask = scores.mask[:, :-1]
        nll = scores.mean_nll("next")
        return {
            "nll": nll,
            "state_nll": scores.mean_nll("state"),
            "excess_nll": nll + mean(torch.from_numpy(best.log_prob), mask),
            "token_accuracy_optimum": mean(torch.from_numpy(best.best_prob), mask),
        }

    @cached_property
    def optimum(self) -> Optimum:
        """What is known of the source of the splits' strings."""
        return Optimum(self.strings.sources["splits"])

    @property
    def shown(self) -> Split:
        """The split that the report is about: test, or train where all strings are trained on."""
        return "test" if self.data.size("test") else "train"

    def unseen(self, model: nn.Module) -> dict[str, Scores]:
        """What the model says of each set that no split holds, by its name."""
        return {
            name: score(model, self.automaton, encode(self.automaton, strings.symbols))
            for name, strings in self.strings.unseen.items()
        }

    @property
    def spans(self) -> list[tuple[int, int]]:
        """The bins of lengths, those of training and those beyond."""
        return bins(self.corpus.shortest, self.corpus.longest, self.corpus.beyond)

    def show(self, batch: Batch, row: int) -> str:
        """The string, its states, and the class it has at its end."""
        text = decode(self.automaton, batch["tokens"][row])
        asked = batch["loss_mask"][row]
        states = " ".join(map(str, batch["state"][row][asked].tolist()))
        final = int(batch["class"][row][asked][-1])
        return f"{text!r}, class {final}\nstates {states}"

    def artifacts(self, model: nn.Module, directory: Path) -> None:
        """The automaton (`fsm.json`), what the corpus holds (`corpus.json`), and tables and pictures of the test split
        and the unseen sets."""
        self.automaton.save(directory / "fsm.json")
        write_text(directory / "corpus.json", json.dumps(telemetry(self.strings), indent=1) + "\n")
        write_table(sets_table(self.strings), directory / "sets.json")
        test = score(model, self.automaton, self.data.splits[self.shown])
        seen = {self.shown: test, **self.unseen(model)}
        lengths = joined([scores for name, scores in seen.items() if name != "edges"])
        write_table(length_table(lengths, self.spans, self.corpus.longest), directory / "by-length.json")
        write_table(edge_table(joined(list(seen.values())), self.corpus.held_out), directory / "by-transition.json")
        names = ["in no language", *(f"class {number}: {p}" for number, p in enumerate(self.patterns, 1))]
        write_table(confusion_table(whole_strings(test), names), directory / "confusion-matrix.json")
        write_table(mistakes_table(seen, names), directory / "mistakes.json")
        title = f"{' and '.join(self.patterns)}: what the {self.network.kind} gets right"
        draw_lengths(lengths, directory / "by-length.svg", longest=self.corpus.longest, title=title)
        accuracies = {edge: right for edge, (_, right) in edge_accuracy(test).items()}
        meaning = f"state told rightly after each transition, {self.shown} split"
        draw_automaton(self.automaton, directory / "automaton.svg", weights=accuracies, meaning=meaning)
        if self.look_at:
            look(model, self.automaton, test.take(spread(self.look_at, len(test.lengths))), directory)


def spread(count: int, total: int) -> Tensor:
    """`count` rows of `total`, as far from each other as can be: strings of one class stand together. int64 (M,).

    >>> spread(3, 12).tolist(), spread(9, 2).tolist()
    ([2, 6, 10], [0, 1])
    """
    kept = min(count, total)
    return (2 * torch.arange(kept) + 1) * total // max(2 * kept, 1)


def penalized(model: nn.Module) -> Tensor:
    """The penalty on the embedding's factor U, a scalar. Raises ConfigError where workers hold parts of U alone."""
    embedding = cast(Embedding, model.embedding)
    if is_sharded(embedding.u):
        raise ConfigError("parallel: fsdp does not go with l1_u, which needs whole weights; set --parallel replicate")
    return embedding.l1_u()
