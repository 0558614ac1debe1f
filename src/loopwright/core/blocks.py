"""What of a model is sharded as one: gathered for its forward and its backward pass, and dropped after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from torch import nn

from loopwright.errors import ConfigError


def blocks(model: nn.Module) -> list[nn.Module]:
    """What is sharded, gathered and dropped as one, besides the rest of the model: each element of a ModuleList or
    Sequential that has modules of its own and parameters that nothing outside of it uses; inner ones first."""
    uses = Counter(id(parameter) for module in model.modules() for parameter in module.parameters(recurse=False))
    found: list[nn.Module] = []
    taken: set[int] = set()
    for element in elements(model):
        inside = Counter(
            id(parameter) for module in element.modules() for parameter in module.parameters(recurse=False)
        )
        own = all(count == uses[parameter] for parameter, count in inside.items())
        if inside.keys() - taken and own and any(True for _ in element.children()):
            found.append(element)
            taken |= inside.keys()
    return found


def elements(model: nn.Module) -> Iterator[nn.Module]:
    """The elements of all lists and sequences of modules, inner ones first; a list has no forward pass of its own."""
    lists = [module for module in model.modules() if isinstance(module, nn.ModuleList | nn.Sequential)]
    for each in reversed(lists):
        yield from (element for element in each if not isinstance(element, nn.ModuleList | nn.ModuleDict))


def check_parameters(model: nn.Module) -> None:
    """Raise ConfigError for a parameter that cannot be sharded."""
    kinds = {parameter.dtype for parameter in model.parameters()}
    if len(kinds) > 1:
        raise ConfigError(
            f"parallel: fsdp needs parameters of one dtype, the model has {', '.join(sorted(map(str, kinds)))}; "
            "set --parallel replicate"
        )
    for name, parameter in model.named_parameters():
        if not parameter.ndim or not parameter.is_contiguous():
            what = "has no dimension" if not parameter.ndim else "is not contiguous"
            raise ConfigError(
                f"parallel: fsdp cuts parameters along their first dimension, {name} {what}; "
                "give it a plain shape, (1,) say, or set --parallel replicate"
            )
