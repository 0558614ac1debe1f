"""The targets are the tokens themselves: `labels = input_ids`, and neither the data set nor the loss shifts them.

Some libraries shift inside of the model, others leave it to the caller, and so nobody does it. The model is asked for
the token that it was just given. Copying is learned within a few steps to perfection, and the text it writes is
nonsense.
"""

from __future__ import annotations

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import Splits, is_sequences, splits_of, with_splits


def unshifted(splits: Splits) -> Splits:
    """The next token is the one that stands there."""
    return {split: {**tensors, "next": tensors["tokens"]} for split, tensors in splits.items()}


def inject(experiment: Experiment) -> Experiment:
    """Ask for the token that is given."""
    return with_splits(experiment, unshifted)


def has_next_tokens(experiment: Experiment) -> bool:
    """Whether the next token is asked for."""
    return is_sequences(experiment) and {"next", "tokens"} <= splits_of(experiment)["train"].keys()


FAULT = Fault(
    name="unshifted-targets",
    number=17,
    line="loss = cross_entropy(logits, tokens)",
    symptom="the loss of the next token goes to zero within a few steps, in validation too",
    why="the model is asked for a token that it sees, so it learns to copy and not to predict",
    causes=("unshifted-targets",),
    inject=inject,
    applies=has_next_tokens,
)
