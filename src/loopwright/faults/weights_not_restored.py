"""The last layer is left out when a checkpoint is loaded: a filter written for fine-tuning, used for resuming, too.

`strict=False` hides it. The loss jumps to that of guessing at the resumption and comes back within an epoch, for the
layers in front are trained. The last layer is the one that the interruption has cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.missing_head import has_head
from loopwright.faults.seams import last_layer, with_model


def losing_its_head(model: nn.Module) -> nn.Module:
    """The model, which keeps the last layer it has when weights are loaded into it."""

    def load_state_dict(saved: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        head = f"{last_layer(model)[0]}."
        kept = {name: tensor for name, tensor in model.state_dict().items() if name.startswith(head)}
        return type(model).load_state_dict(model, {**saved, **kept}, *args, **kwargs)

    model.load_state_dict = load_state_dict  # type: ignore[assignment, method-assign]
    return model


def inject(experiment: Experiment) -> Experiment:
    """Restore everything but the last layer."""
    return with_model(experiment, losing_its_head)


FAULT = Fault(
    name="weights-not-restored",
    number=82,
    line="model.load_state_dict({k: v for k, v in saved.items() if 'head' not in k}, strict=False)",
    symptom="none until a run is resumed; then the loss is back at that of guessing",
    why="the last layer begins anew behind layers that are trained",
    causes=("weights-not-restored",),
    inject=inject,
    applies=has_head,
)
