"""The state graph of an automaton as a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from loopwright.tasks.regular.automaton import REJECT, Automaton

RADIUS = 0.3
"""Of a state."""

SPACING = 1.9
"""From the center of a state to the next one's."""

BEND = 0.2
"""How far an edge swings out, as a part of its length."""

INK = "#222222"
FAINT = "#bdbdbd"
RED = "#d62728"
ALIVE = "#ffffff"
DEAD = "#dddddd"

Points = npt.NDArray[np.float64]
"""Places as (x, y), (…, 2)."""


def draw_automaton(
    automaton: Automaton, path: Path, *, weights: Mapping[tuple[int, str], float] | None = None, meaning: str = ""
) -> None:
    """Write an SVG of the states, on a circle, clockwise from the start at the left, and of the edges between them.

    Colors are classes, a double ring accepts, edges to the reject state are faint. `weights` gives (state, symbol) a
    number from 0 to 1, say the accuracy there: it stands behind the symbol, and an edge is the redder the lower the
    lowest of its numbers. `meaning` says above the picture what the numbers are.
    """
    from matplotlib.figure import Figure

    centers_S2 = layout(len(automaton.transitions))
    half = float(np.abs(centers_S2).max()) + 1.2
    figure = Figure(figsize=(min(1.6 * half, 11), min(1.6 * half, 11) + 0.5), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(-half, half), ylim=(-half, half), aspect="equal")
    axes.set_axis_off()
    figure.suptitle(meaning, fontsize=9, color=INK, parse_math=False)
    for (state, target), symbols in edges(automaton).items():
        numbers = [(weights or {}).get((state, symbol)) for symbol in symbols]
        draw_edge(axes, curve(centers_S2, state, target), symbols, numbers, faint=target == automaton.reject)
    draw_states(axes, automaton, centers_S2)
    draw_legend(figure, automaton)
    save(figure, path)


def save(figure: Any, path: Path) -> None:
    """Write a figure as SVG, all of it, and the same figure as the same bytes."""
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": "loopwright"}):
        figure.savefig(path, metadata={"Date": None}, bbox_inches="tight", pad_inches=0.1)


def layout(total: int) -> Points:
    """The centers (S, 2) of `total` states on a circle around (0, 0), clockwise from the left."""
    radius = SPACING / (2 * math.sin(math.pi / total))
    turns = math.pi - 2 * math.pi * np.arange(total) / total
    centers_S2: Points = radius * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return centers_S2


def edges(automaton: Automaton) -> dict[tuple[int, int], list[str]]:
    """The symbols of each edge (from, to), in the order of the alphabet."""
    found: dict[tuple[int, int], list[str]] = {}
    for state, row in enumerate(automaton.transitions):
        for symbol, target in zip(automaton.alphabet, row, strict=True):
            found.setdefault((state, target), []).append(symbol)
    return found


def bend(state: int, target: int, total: int) -> float:
    """How far an edge swings out to its left: no two lie upon each other, none runs through a third state.

    To the next state it goes around outside; to one further on straight, as its own way back keeps to the inside.
    """
    ahead = (target - state) % total
    return 0.0 if 1 < ahead < total / 2 else BEND


def curve(centers_S2: Points, state: int, target: int) -> Points:
    """The Bézier curve (4, 2) of an edge from rim to rim; a loop points away from the middle of the picture."""
    here, there = centers_S2[state], centers_S2[target]
    if state == target:
        out = here / np.hypot(*here)
        sideways = np.array([-out[1], out[0]])
        first, last = (RADIUS * (0.9 * out + turn * 0.43 * sideways) for turn in (1, -1))
        return np.stack([here + first, here + 3.4 * first, here + 3.4 * last, here + last])
    along = there - here
    knee = (here + there) / 2 + bend(state, target, len(centers_S2)) * np.array([-along[1], along[0]])
    start = here + RADIUS * (knee - here) / np.hypot(*(knee - here))
    end = there + RADIUS * (knee - there) / np.hypot(*(knee - there))
    return np.stack([start, start + (knee - start) * 2 / 3, end + (knee - end) * 2 / 3, end])


def draw_edge(axes: Any, curve_42: Points, symbols: list[str], numbers: list[float | None], *, faint: bool) -> None:
    """An arrow along the curve, and upon it the symbols, each with its number where it has one."""
    from matplotlib.colors import to_rgb
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Outline

    known = [number for number in numbers if number is not None]
    right = min(max(min(known, default=1.0), 0.0), 1.0)
    color = right * np.array(to_rgb(FAINT if faint else INK)) + (1 - right) * np.array(to_rgb(RED))
    outline = Outline(curve_42, [Outline.MOVETO, *[Outline.CURVE4] * 3])
    arrow = FancyArrowPatch(path=outline, arrowstyle="-|>", mutation_scale=12, color=color, zorder=1)
    axes.add_patch(arrow)
    words = [
        symbol if number is None else f"{symbol} {number:.2f}" for symbol, number in zip(symbols, numbers, strict=True)
    ]
    label_edge(axes, curve_42, ("\n" if known else ", ").join(words), color="#777777" if faint and not known else INK)


def label_edge(axes: Any, curve_42: Points, text: str, *, at: float = 0.45, **style: Any) -> None:
    """Write upon an edge, a part `at` of the way along it, or outside a loop; `style` as Matplotlib's text has it.

    A little before the middle, where fewer edges cross, unless told otherwise.
    """
    ends = curve_42[[0, 3]]
    box = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none"}
    style = {"fontsize": 9, "bbox": box, "gid": "edge", "zorder": 2, **style}
    if np.hypot(*(ends[1] - ends[0])) > 2 * RADIUS:
        bernstein = [(1 - at) ** 3, 3 * at * (1 - at) ** 2, 3 * at**2 * (1 - at), at**3]
        upon = curve_42.T @ np.array(bernstein)
        axes.text(*upon, text, ha="center", va="center", **style)
        return
    tip = curve_42.T @ np.array([1, 3, 3, 1]) / 8
    out = (tip - ends.mean(0)) / np.hypot(*(tip - ends.mean(0)))
    ha = "center" if abs(out[0]) < 0.5 else "left" if out[0] > 0 else "right"
    va = "center" if abs(out[1]) < 0.5 else "bottom" if out[1] > 0 else "top"
    axes.text(*(tip + 0.06 * out), text, ha=ha, va=va, **style)


def draw_states(axes: Any, automaton: Automaton, centers_S2: Points) -> None:
    """Circles with numbers, a second ring where a string is accepted, and an arrow to the start."""
    from matplotlib.patches import Circle

    for state, (center, number) in enumerate(zip(centers_S2, automaton.classes, strict=True)):
        circle = Circle(center, RADIUS, facecolor=fill(automaton, state), edgecolor=INK, zorder=3)
        circle.set_gid(f"state-{state}")
        axes.add_patch(circle)
        if number != REJECT:
            axes.add_patch(Circle(center, 0.82 * RADIUS, fill=False, edgecolor=INK, zorder=4))
        axes.text(*center, str(state), ha="center", va="center", color=INK, zorder=5)
    rim = centers_S2[0] + np.array([-0.5, 0.87]) * RADIUS
    arrow = {"arrowstyle": "-|>", "color": INK, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=rim, xytext=rim + np.array([-0.25, 0.43]), arrowprops=arrow)


def draw_legend(figure: Any, automaton: Automaton) -> None:
    """The colors of the states, below the figure."""
    from matplotlib.patches import Patch

    fills = {role(automaton, state): fill(automaton, state) for state in range(len(automaton.transitions))}
    patches = [Patch(facecolor=fills[name], edgecolor=INK) for name in sorted(fills)]
    shown = figure.legend(patches, sorted(fills), loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    for text in shown.get_texts():
        text.set_parse_math(False)


def fill(automaton: Automaton, state: int) -> Any:
    """The color of a state: its class's."""
    from matplotlib import colormaps

    number = automaton.classes[state]
    if number == REJECT:
        return DEAD if state == automaton.reject else ALIVE
    return colormaps["Set2"]((number - 1) % 8)


def role(automaton: Automaton, state: int) -> str:
    """What the legend calls a state."""
    number = automaton.classes[state]
    if state == automaton.reject:
        return "reject"
    if number == REJECT:
        return "class 0, alive"
    pattern = automaton.patterns[number - 1] if number <= len(automaton.patterns) else ""
    return f"class {number}" + (f": {pattern[:24]}{'…' * (len(pattern) > 24)}" if pattern else "")
