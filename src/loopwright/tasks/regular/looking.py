"""Inside a model while it reads: attention over the strings and over the automaton, hidden states by state.

Shape legend: N strings, T positions, L layers, H heads, D width, S states, P positions of all strings together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from loopwright.errors import ConfigError
from loopwright.models.recurrent import Recurrent
from loopwright.models.transformer import Transformer
from loopwright.store import write_checkpoint
from loopwright.tasks.regular.automaton import Automaton
from loopwright.tasks.regular.drawing import INK, curve, draw_legend, draw_states, label_edge, layout, save
from loopwright.tasks.regular.encoding import BOS, EOS, FIRST_SYMBOL
from loopwright.tasks.regular.scores import Scores

MOST = 16
"""The most strings that are looked at: each has a picture of its own."""
FAINTEST = 0.02
"""Attention below this is not drawn on the automaton."""
NUMBERED = 0.1
"""Attention below this is drawn without its number."""


def check_look_at(count: int) -> None:
    """Raise ConfigError unless `count` strings can be looked at."""
    if not 0 <= count <= MOST:
        raise ConfigError(f"look_at {count}: choose 0 to {MOST} strings; each has a picture of its own")


def look(model: nn.Module, automaton: Automaton, scores: Scores, directory: Path) -> None:
    """Draw what `model` computes on the strings of `scores`, and write it to `look.pt`.

    That holds `tokens` (N, T), `states` (N, T), `hidden` (L + 1, N, T, D) and `maps` (L, N, H, T, T).
    `torch.load(FILE, weights_only=True)["tensors"]` gives them back.
    """
    device = next(model.parameters()).device
    asked = scores.encoded
    looking = cast(Transformer | Recurrent, model)
    seen = looking.look(asked["tokens"].to(device), asked["attention_mask"].to(device))
    hidden, maps = (tensor.detach().float().cpu() for tensor in seen)
    tensors = {"tokens": asked["tokens"], "states": asked["state"], "hidden": hidden, "maps": maps}
    write_checkpoint(directory / "look.pt", {"tensors": tensors})
    for number in range(len(asked["length"])):
        _over_string(automaton, tensors, asked["length"][number], number, directory)
    if maps.numel():
        draw_flow(automaton, flow(maps, asked["state"], scores.mask, len(automaton.transitions)), directory)
    draw_hidden(automaton, hidden[-1][scores.mask], asked["state"][scores.mask], directory / "hidden-states.svg")


def _over_string(
    automaton: Automaton, tensors: dict[str, Tensor], length: Tensor, number: int, directory: Path
) -> None:
    T = int(length) - 1  # nothing is asked at EOS
    words = [in_words(automaton, token) for token in tensors["tokens"][number, :T].tolist()]
    if tensors["maps"].numel():
        maps_LHTT = tensors["maps"][:, number, :, :T, :T]
        draw_attention(maps_LHTT, words, directory / f"attention-{number + 1}.svg")
    draw_units(tensors["hidden"][-1, number, :T], words, directory / f"hidden-{number + 1}.svg")


def in_words(automaton: Automaton, token: int) -> str:
    """A token as it is written under a picture."""
    special = {BOS: "BOS", EOS: "EOS"}
    return special.get(token) or automaton.alphabet[token - FIRST_SYMBOL]


def draw_attention(maps_LHTT: Tensor, words: list[str], path: Path) -> None:
    """Each head's weights, a row of heads for each layer: which token (down) attends to which (across)."""
    from matplotlib.figure import Figure

    layers, heads = maps_LHTT.shape[:2]
    side = max(1.1, 0.085 * len(words))
    figure = Figure(figsize=(side * heads + 0.4, (side + 0.1) * layers + 0.4), layout="constrained")
    grid = figure.subplots(layers, heads, squeeze=False, sharex=True, sharey=True)
    for layer, row in enumerate(grid):
        for head, axes in enumerate(row):
            axes.imshow(maps_LHTT[layer, head].numpy(), cmap="Blues", vmin=0, vmax=1)
            _ticks(axes.xaxis, words)
            _ticks(axes.yaxis, words)
            axes.tick_params(length=0, pad=2)
        row[0].set_ylabel(f"layer {layer + 1}", fontsize=8)
    for head, axes in enumerate(grid[0]):
        axes.set_title(f"head {head + 1}", fontsize=8)
    figure.suptitle("attention of each token (down) to those before it (across)", fontsize=8)
    save(figure, path)


def _ticks(axis: Any, words: list[str]) -> None:
    axis.set_ticks(range(len(words)), ["·" if word == "BOS" else word for word in words], fontsize=6)


def draw_units(hidden_TD: Tensor, words: list[str], path: Path) -> None:
    """The last layer's units (down) at each token (across)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(3.0, 0.22 * len(words) + 1.6), 3.2), layout="constrained")
    axes = figure.subplots()
    limit = float(hidden_TD.abs().max())
    image = axes.imshow(hidden_TD.T.numpy(), cmap="RdBu", vmin=-limit, vmax=limit, aspect="auto")
    _ticks(axes.xaxis, words)
    axes.set_ylabel("unit")
    axes.set_title("hidden states of the last layer along the string", fontsize=9)
    figure.colorbar(image, ax=axes)
    save(figure, path)


def flow(maps_LNHTT: Tensor, states_NT: Tensor, mask_NT: Tensor, total: int) -> Tensor:
    """How much of its attention a position in one state gives to positions in another: (L, S, S), from row to column.

    The mean over heads and over all positions in the row's state; its rows sum to 1, or are 0 for states never met.
    """
    in_state_NTS = nn.functional.one_hot(states_NT, total).float() * mask_NT[..., None]
    given_LSS = torch.einsum("lnqk,nqa,nkb->lab", maps_LNHTT.mean(2), in_state_NTS, in_state_NTS)
    return given_LSS / in_state_NTS.sum((0, 1)).clamp(min=1)[:, None]


def draw_flow(automaton: Automaton, flow_LSS: Tensor, directory: Path) -> None:
    """`flow` upon the automaton, a picture for each layer: the wider an arrow, the more attention."""
    from matplotlib.figure import Figure

    centers_S2 = layout(len(automaton.transitions))
    half = float(abs(centers_S2).max()) + 1.2
    layers = len(flow_LSS)
    rows, columns = -(-layers // 2), min(layers, 2)
    figure = Figure(figsize=(2.9 * columns, 3.1 * rows + 0.8), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for layer, axes in enumerate(grid[:layers]):
        axes.set(xlim=(-half, half), ylim=(-half, half), aspect="equal")
        axes.set_title(f"layer {layer + 1}", fontsize=9)
        for state, row in enumerate(flow_LSS[layer].tolist()):
            for target, weight in enumerate(row):
                if weight >= FAINTEST:
                    _arrow(axes, curve(centers_S2, state, target), weight)
        draw_states(axes, automaton, centers_S2)
    draw_legend(figure, automaton)
    figure.suptitle("attention from positions in one state to those in another, mean over heads", fontsize=8)
    save(figure, directory / "attention-automaton.svg")


def _arrow(axes: Any, curve_42: Any, weight: float) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Outline

    outline = Outline(curve_42, [Outline.MOVETO, *[Outline.CURVE4] * 3])
    arrow = FancyArrowPatch(path=outline, arrowstyle="-|>", mutation_scale=10, linewidth=0.3 + 4 * weight, zorder=1)
    arrow.set(color="#2f6fb0", alpha=0.35 + 0.6 * weight)
    axes.add_patch(arrow)
    if weight >= NUMBERED:
        label_edge(axes, curve_42, f"{weight:.2f}", at=0.3, fontsize=7, color=INK)


def draw_hidden(automaton: Automaton, hidden_PD: Tensor, states_P: Tensor, path: Path) -> None:
    """The last layer's hidden states in the plane of their two principal components, colored by the state; arrows are
    the automaton's transitions, between the means of the states."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    points_P2 = principal(hidden_PD)
    figure = Figure(figsize=(5.2, 4.2), layout="constrained")
    axes = figure.subplots()
    met = sorted(set(states_P.tolist()))
    centers = {state: tuple(points_P2[states_P == state].mean(0).tolist()) for state in met}
    for state in met:
        name = f"state {state}" + (" (reject)" if state == automaton.reject else "")
        of_state = points_P2[states_P == state]
        axes.scatter(of_state[:, 0], of_state[:, 1], s=14, alpha=0.6, color=colormaps["tab10"](state % 10), label=name)
    for state in met:
        for target in {to for to in automaton.transitions[state] if to in centers and to != state}:
            arrow = {"arrowstyle": "-|>", "color": INK, "alpha": 0.6, "connectionstyle": "arc3,rad=0.15"}
            axes.annotate("", xy=centers[target], xytext=centers[state], arrowprops=arrow)
    axes.set(xlabel="first principal component", ylabel="second")
    axes.set_title("hidden states of the last layer, by the automaton's state", fontsize=9)
    axes.legend(fontsize=8)
    save(figure, path)


def principal(rows_PD: Tensor) -> Tensor:
    """Rows (P, D) in the plane of their two principal components, (P, 2): Pearson, Philosophical Magazine, 1901."""
    centered = (rows_PD - rows_PD.mean(0)).double()
    _, _, directions = torch.linalg.svd(centered, full_matrices=False)
    found = centered @ directions[:2].T
    return torch.nn.functional.pad(found, (0, 2 - found.shape[1]))
