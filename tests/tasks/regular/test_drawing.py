"""The picture of an automaton: each state, each edge, and nothing upon another."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from loopwright.tasks.regular.automaton import Automaton
from loopwright.tasks.regular.drawing import RADIUS, curve, draw_automaton, edges, layout
from loopwright.tasks.regular.patterns import compile_patterns

THREE = compile_patterns([("a+", 1), ("a*b+", 2), ("a*b*c+", 3)], "abc")


def drawn(automaton: Automaton, path: Path, **options: object) -> str:
    draw_automaton(automaton, path / "automaton.svg", **options)
    text = (path / "automaton.svg").read_text()
    ElementTree.fromstring(text)
    return text


def words(svg: str) -> list[str]:
    """The texts of the edges: matplotlib draws letters as shapes and leaves the text in a comment."""
    return re.findall(r'<g id="edge">.*?<!-- (.*?) -->', svg, re.DOTALL)


@pytest.mark.parametrize("pattern", ["a+", "a*b*", "(b*ab*ab*a)*b*", "(.{10})*"])
def test_the_picture_has_each_state_once_and_a_text_for_each_edge(tmp_path, pattern):
    automaton = compile_patterns([(pattern, 1)], "ab")
    svg = drawn(automaton, tmp_path)
    states = [f"state-{state}" for state in range(len(automaton.transitions))]
    assert re.findall(r'id="(state-\d+)"', svg) == states
    assert sorted(words(svg)) == sorted(", ".join(symbols) for symbols in edges(automaton).values())


def test_edges_join_the_symbols_that_lead_the_same_way():
    assert edges(THREE) == {
        (0, 1): ["a"],
        (0, 2): ["b"],
        (0, 3): ["c"],
        (1, 1): ["a"],
        (1, 2): ["b"],
        (1, 3): ["c"],
        (2, 4): ["a"],
        (2, 2): ["b"],
        (2, 3): ["c"],
        (3, 4): ["a", "b"],
        (3, 3): ["c"],
        (4, 4): ["a", "b", "c"],
    }


def test_the_legend_names_each_class_and_the_reject_state(tmp_path):
    svg = drawn(THREE, tmp_path)
    for name in ("class 0, alive", "class 1: a+", "class 2: a*b+", "class 3: a*b*c+", "reject"):
        assert f"<!-- {name} -->" in svg


def test_numbers_stand_behind_their_symbols(tmp_path):
    automaton = compile_patterns([("ab", 1)], "ab")
    svg = drawn(automaton, tmp_path, weights={(0, "a"): 0.25, (2, "b"): 1.0}, meaning="accuracy, 12 strings")
    assert "a 0.25" in words(svg)
    assert "<!-- accuracy, 12 strings -->" in svg
    assert "<!-- b 1.00 -->" in svg


def test_dollars_are_no_formula(tmp_path):
    svg = drawn(Automaton("$%", ((0, 0), (1, 1)), (1, 0), ("$_{$",)), tmp_path, meaning="$_{$")
    assert "$, %" in words(svg)
    assert {"<!-- class 1: $_{$ -->", "<!-- $_{$ -->"} <= set(re.findall("<!-- .*? -->", svg))


def points(curve_42: np.ndarray) -> np.ndarray:
    """Places along a Bézier curve."""
    along = np.linspace(0, 1, 60)[:, None]
    weights = np.hstack([(1 - along) ** 3, 3 * along * (1 - along) ** 2, 3 * along**2 * (1 - along), along**3])
    return weights @ curve_42


def distance(some: np.ndarray, others: np.ndarray) -> float:
    return float(np.linalg.norm(some[:, None] - others[None], axis=-1).min())


@pytest.mark.parametrize("total", range(2, 13))
def test_no_edge_runs_through_a_state_that_it_does_not_belong_to(total):
    centers = layout(total)
    for state, target in itertools.product(range(total), repeat=2):
        others = np.delete(centers, [state, target], axis=0)
        path = points(curve(centers, state, target))
        if len(others):
            assert distance(path, others) > RADIUS
        assert np.allclose(np.linalg.norm(path[0] - centers[state]), RADIUS, rtol=0.01)
        assert np.allclose(np.linalg.norm(path[-1] - centers[target]), RADIUS, rtol=0.01)


@pytest.mark.parametrize("total", range(2, 13))
def test_the_two_ways_between_two_states_keep_apart(total):
    centers = layout(total)
    for state, target in itertools.combinations(range(total), 2):
        there, back = (points(curve(centers, *pair))[20:40] for pair in ((state, target), (target, state)))
        assert distance(there, back) > 0.15
