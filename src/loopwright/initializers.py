"""Where training starts: ways to draw a model's first weights, and a digest of what was drawn.

Every strategy but `default` draws each parameter of two or more dimensions, and sets each parameter with
"bias" in its name to 0. Gains of normalization layers stay as the model made them (1, or 0 where a residual
branch starts closed), and so does the row of an embedding that stands for padding.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from loopwright.errors import ConfigError, nearest

Strategy = Literal["default", "naive", "xavier", "he", "orthogonal", "scaled-residual"]

RESIDUAL_OUT = "residual_out"
"""The name that a model gives to the last layer of each residual branch."""


def initialize(model: nn.Module, strategy: Strategy) -> None:
    """Draw the weights of `model` anew, in place, from the global generator.

    - default: nothing; the weights stay as the layers' constructors drew them.
    - naive: N(0, 1) whatever the fan-in, so that a signal grows by about sqrt(fan_in) a layer: the textbook's
      bad example, to be compared with.
    - xavier: U(-a, a), a = sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, AISTATS 2010, equation 16).
    - he: N(0, 2 / fan_in), for ReLU (He et al., ICCV 2015, equation 10).
    - orthogonal: rows or columns orthogonal, times sqrt(2) for ReLU (Saxe et al., ICLR 2014).
    - scaled-residual: N(0, 0.02^2), divided by sqrt(n) in the n layers named `residual_out` that each end a
      residual branch, so that the sum of n branches keeps its size (Radford et al., GPT-2, 2019, section 2.3).

    Raises ConfigError for another name.
    """
    if strategy not in get_args(Strategy):
        raise ConfigError(f"initialization {strategy!r} is unknown; {nearest(strategy, get_args(Strategy))}")
    if strategy == "default":
        return
    num_branches = sum(name.rpartition(".")[2] == RESIDUAL_OUT for name, _ in model.named_modules())
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim >= 2:
                branches = num_branches if RESIDUAL_OUT in name.split(".") else 1
                parameter.copy_(_drawn(parameter, strategy, branches))
            elif "bias" in name.rpartition(".")[2]:
                parameter.zero_()
        for module in model.modules():
            if isinstance(module, nn.Embedding) and module.padding_idx is not None:
                module.weight[module.padding_idx].zero_()


def _drawn(like: Tensor, strategy: Strategy, branches: int) -> Tensor:
    # A tensor of its own in the plain layout: drawing fills memory in order, and channels-last is another order.
    weight = torch.empty(like.shape, dtype=like.dtype, device=like.device)
    draws: dict[str, Callable[[], Tensor]] = {
        "naive": lambda: nn.init.normal_(weight),
        "xavier": lambda: nn.init.xavier_uniform_(weight),
        "he": lambda: nn.init.kaiming_normal_(weight, nonlinearity="relu"),
        "orthogonal": lambda: nn.init.orthogonal_(weight, gain=math.sqrt(2.0)),
        "scaled-residual": lambda: nn.init.normal_(weight, std=0.02 / math.sqrt(branches)),
    }
    return draws[strategy]()


def weights_sha256(model: nn.Module, whole: Callable[[Tensor], Any] = lambda tensor: tensor) -> str:
    """SHA-256, in hexadecimal, of the names, dtypes, shapes and bytes of the state, sorted by name.

    Parameters and persistent buffers count; the device they are on does not. `whole` makes them whole first.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        tensor = whole(tensor)
        digest.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
