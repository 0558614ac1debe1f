"""Where a model's weights are: whole on every worker, or of each a part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from loopwright.core.gradients import ShardTree, Tree, norms
from loopwright.core.optimizers import trainable
from loopwright.core.parallel import Workers

Content = TypeVar("Content", bound=MutableMapping[str, Any])


class Layout(Protocol):
    """What a state asks of where its weights are. In parts: all workers call the same in one order."""

    def spread(self, model: nn.Module, device: torch.device) -> None:
        """Bring a whole model, on the CPU, to where its weights are to be."""
        ...

    def bind(self, model: nn.Module, optimizer: Optimizer) -> tuple[list[nn.Parameter], Optimizer]:
        """What takes the gradients and is moved, in the model's order, and the optimizer that moves it."""
        ...

    def tree(self, model: nn.Module, parameters: Sequence[nn.Parameter], total: int, workers: Workers) -> Tree:
        """What adds up the gradients of a step's `total` shards."""
        ...

    def norms(self, parameters: Sequence[nn.Parameter]) -> Sequence[Tensor]:
        """The 2-norm of each whole gradient there is, 0-dimensional."""
        ...

    def whole(self, tensor: Tensor) -> Tensor:
        """A tensor of a model's `state_dict` in full, on every worker."""
        ...

    def gathered(self, content: Content) -> Content:
        """A model's `state_dict` with whole tensors on the first worker; the others keep empty ones."""
        ...

    def parts(self, content: Any, own: Callable[[], Mapping[str, Any]]) -> Any:
        """The other way round: of whole tensors what `own()` holds of each. What does not fit stays as it is."""
        ...


class Whole:
    """Every worker has all of the weights."""

    def spread(self, model: nn.Module, device: torch.device) -> None:
        """To the device."""
        model.to(device)

    def bind(self, model: nn.Module, optimizer: Optimizer) -> tuple[list[nn.Parameter], Optimizer]:
        """The model's own parameters."""
        return trainable(model), optimizer

    def tree(self, model: nn.Module, parameters: Sequence[nn.Parameter], total: int, workers: Workers) -> Tree:
        """Of whole gradients."""
        return ShardTree(model, parameters, total, workers)

    def norms(self, parameters: Sequence[nn.Parameter]) -> Sequence[Tensor]:
        """All at once."""
        return norms(parameters)

    def whole(self, tensor: Tensor) -> Tensor:
        """It is."""
        return tensor

    def gathered(self, content: Content) -> Content:
        """As it is."""
        return content

    def parts(self, content: Any, own: Callable[[], Mapping[str, Any]]) -> Any:
        """As it is."""
        return content


WHOLE = Whole()
