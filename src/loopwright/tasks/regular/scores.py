"""What a model says of a set of strings, and how much of it is right.

Every share is counted where the losses count, at the positions of the loss mask: what is asked, and nothing else.

Shape legend: N strings, T positions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from loopwright.metrics import ExactSum
from loopwright.tasks.regular.automaton import REJECT, Automaton
from loopwright.tasks.regular.encoding import EOS, FIRST_SYMBOL, last, vocabulary_size

ASKED = ("next", "class", "state")
"""What a model is asked at each position, in the order of its outputs."""
ROWS = 256
"""Strings evaluated at once: few enough for the cache, with attention maps of sixty positions."""


@dataclass(frozen=True, eq=False)
class Scores:
    """Of a set of strings: `encoded` is what was asked; by what was asked, `said` int64 (N, T) is the likeliest answer
    and `nll` float64 (N, T) minus the log-probability of the right one, 0 where nothing was asked."""

    automaton: Automaton
    encoded: Mapping[str, Tensor]
    said: Mapping[str, Tensor]
    nll: Mapping[str, Tensor]

    @property
    def mask(self) -> Tensor:
        """Where something was asked, bool (N, T)."""
        return self.encoded["loss_mask"]

    def right(self, asked: str) -> Tensor:
        """Where the likeliest answer is the right one, bool (N, T); False where nothing was asked."""
        return (self.said[asked] == self.encoded[asked]) & self.mask

    def accuracy(self, asked: str) -> float:
        """The share of right answers."""
        return share(self.right(asked), self.mask)

    def mean_nll(self, asked: str) -> float:
        """Nats a position, summed exactly."""
        return mean(self.nll[asked], self.mask)

    def accepted_rightly(self) -> Tensor:
        """For each whole string whether it was rightly taken to be in a language, or in none: bool (N,)."""
        return (self.final("said") == REJECT) == (self.final("asked") == REJECT)

    def final(self, side: str) -> Tensor:
        """Each whole string's class, int64 (N,): as it is (`asked`), or as the model has it (`said`)."""
        classes = (self.said if side == "said" else self.encoded)["class"]
        return classes.gather(1, last(self.encoded)[:, None]).squeeze(1)

    def legal(self) -> tuple[Tensor, Tensor]:
        """(where the next token said is one that some string of a language has there, where there is such a string):
        bool (N, T) both. A symbol must not lead into the reject state; EOS needs a state with a class."""
        states = self.encoded["state"]
        allowed = legal_tokens(self.automaton)[states].gather(2, self.said["next"][..., None]).squeeze(2)
        alive = self.mask & (states != self.automaton.reject)
        return allowed & alive, alive

    @property
    def lengths(self) -> Tensor:
        """The number of symbols of each string, int64 (N,)."""
        return self.encoded["length"] - 2

    def take(self, rows: Tensor) -> Scores:
        """The same of some of the strings, int64 (M,) or bool (N,)."""
        encoded, said, nll = ({key: kept[rows] for key, kept in part.items()} for part in self.parts)
        return Scores(self.automaton, encoded, said, nll)

    def with_all(self, other: Scores) -> Scores:
        """The same of these strings and those of `other`, which may be longer."""
        width = max(self.mask.shape[1], other.mask.shape[1])
        encoded, said, nll = (
            {key: torch.cat([wider(kept, width), wider(theirs[key], width)]) for key, kept in part.items()}
            for part, theirs in zip(self.parts, other.parts, strict=True)
        )
        return Scores(self.automaton, encoded, said, nll)

    @property
    def parts(self) -> tuple[Mapping[str, Tensor], ...]:
        """What was asked, what was said, and what it cost."""
        return self.encoded, self.said, self.nll

    def summary(self) -> dict[str, float]:
        """The shares that an evaluation reports."""
        return {
            "token_accuracy": self.accuracy("next"),
            "class_accuracy": self.accuracy("class"),
            "state_accuracy": self.accuracy("state"),
            "acceptance": share(self.accepted_rightly(), torch.ones_like(self.lengths, dtype=torch.bool)),
            "legal_rate": share(*self.legal()),
        }


def score(model: nn.Module, automaton: Automaton, encoded: Mapping[str, Tensor]) -> Scores:
    """Ask `model` about all strings of `encoded`, on the model's device, some at a time."""
    device = next(model.parameters()).device
    total = len(encoded["length"])
    said: dict[str, list[Tensor]] = {asked: [] for asked in ASKED}
    nll: dict[str, list[Tensor]] = {asked: [] for asked in ASKED}
    for first in range(0, total, ROWS):
        rows = {name: tensor[first : first + ROWS] for name, tensor in encoded.items()}
        outputs = model(rows["tokens"].to(device), rows["attention_mask"].to(device))
        for asked, logits in zip(ASKED, outputs, strict=True):
            surprise = functional.cross_entropy(logits.cpu().double().mT, rows[asked], reduction="none")
            said[asked].append(logits.argmax(-1).cpu())
            nll[asked].append(surprise.where(rows["loss_mask"], 0.0))
    return Scores(
        automaton,
        encoded,
        {asked: torch.cat(parts) for asked, parts in said.items()},
        {asked: torch.cat(parts) for asked, parts in nll.items()},
    )


def legal_tokens(automaton: Automaton) -> Tensor:
    """Which ids may come next in each state if the string is to be in a language: bool (S, vocabulary)."""
    allowed = torch.zeros(len(automaton.transitions), vocabulary_size(automaton), dtype=torch.bool)
    allowed[:, FIRST_SYMBOL:] = torch.from_numpy(automaton.table != automaton.reject)
    allowed[:, EOS] = torch.from_numpy(automaton.class_of != REJECT)
    return allowed


def wider(tensor: Tensor, width: int) -> Tensor:
    """(N, T) with more positions at which nothing is asked; (N,) as it is."""
    return functional.pad(tensor, (0, width - tensor.shape[1])) if tensor.ndim == 2 else tensor


def share(right: Tensor, asked: Tensor) -> float:
    """How many of the places `asked` (bool, *) are `right` (bool, *); NaN where nothing is asked."""
    return int((right & asked).sum()) / int(asked.sum()) if asked.any() else float("nan")


def mean(values: Tensor, mask: Tensor) -> float:
    """The mean of `values` (float64, *) where `mask` (bool, *) is True, summed exactly; NaN where it never is."""
    total = ExactSum()
    total.add(values[mask])
    return total.value() / int(mask.sum()) if mask.any() else float("nan")
