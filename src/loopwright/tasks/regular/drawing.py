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
    axes.set_title(meaning, fontsize=9, color=INK, parse_math=False)
    for (state, target), symbols in edges(automaton).items():
        numbers = [(weights or {}).get((state, symbol)) for symbol in symbols]
        draw_edge(axes, curve(centers_S2, state, target), symbols, numbers, faint=target == automaton.reject)
    draw_states(axes, automaton, centers_S2)
    figure.savefig(path, metadata={"Date": None})


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
    # A little before the middle, where fewer edges cross: the Bernstein polynomials at 0.45.
    upon = curve_42.T @ np.array([0.166, 0.408, 0.334, 0.092])
    words = [
        symbol if number is None else f"{symbol} {number:.2f}" for symbol, number in zip(symbols, numbers, strict=True)
    ]
    axes.text(
        *upon,
        ("\n" if known else ", ").join(words),
        ha="center",
        va="center",
        fontsize=9,
        color="#777777" if faint and not known else INK,
        bbox={"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none"},
        gid="edge",
        zorder=2,
    )


def draw_states(axes: Any, automaton: Automaton, centers_S2: Points) -> None:
    """Circles with numbers, a second ring where a string is accepted, an arrow to the start, and the legend."""
    from matplotlib import colormaps
    from matplotlib.patches import Circle

    legend: dict[str, Circle] = {}
    for state, (center, number) in enumerate(zip(centers_S2, automaton.classes, strict=True)):
        fill = ALIVE if number == REJECT else colormaps["Set2"]((number - 1) % 8)
        circle = Circle(center, RADIUS, facecolor=DEAD if state == automaton.reject else fill, edgecolor=INK, zorder=3)
        circle.set_gid(f"state-{state}")
        axes.add_patch(circle)
        if number != REJECT:
            axes.add_patch(Circle(center, 0.82 * RADIUS, fill=False, edgecolor=INK, zorder=4))
        axes.text(*center, str(state), ha="center", va="center", color=INK, zorder=5)
        legend[role(automaton, state)] = circle
    rim = centers_S2[0] + np.array([-0.5, 0.87]) * RADIUS
    arrow = {"arrowstyle": "-|>", "color": INK, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=rim, xytext=rim + np.array([-0.25, 0.43]), arrowprops=arrow)
    names = dict(sorted(legend.items()))
    shown = axes.legend(names.values(), names, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, frameon=False)
    for text in shown.get_texts():
        text.set_parse_math(False)


def role(automaton: Automaton, state: int) -> str:
    """What the legend calls a state."""
    number = automaton.classes[state]
    if state == automaton.reject:
        return "reject"
    if number == REJECT:
        return "class 0, alive"
    pattern = automaton.patterns[number - 1] if number <= len(automaton.patterns) else ""
    return f"class {number}" + (f": {pattern[:24]}{'…' * (len(pattern) > 24)}" if pattern else "")
