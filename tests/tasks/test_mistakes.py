"""The worst mistakes, as what they are: points, rows, strings, images."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from loopwright.data.tensors import TensorData, count
from loopwright.tasks.digits_dataset import DigitsDataset
from loopwright.tasks.line import furthest
from loopwright.tasks.mistakes import find_mistakes, mistakes_table
from loopwright.tasks.points import Points
from loopwright.tasks.regular.encoding import encode
from loopwright.tasks.regular.mistakes import mistakes_table as wrong_strings
from loopwright.tasks.regular.patterns import compile_patterns
from loopwright.tasks.regular.scores import Scores
from loopwright.tasks.tabular import Tabular


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    """As artifacts are made."""
    with torch.no_grad():
        yield


class Says(nn.Module):
    """Gives class 1 the logit that it reads, class 0 none."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([torch.zeros_like(x[:, :1]), self.scale * x[:, :1]], dim=1)


def data() -> TensorData:
    x = torch.tensor([[-1.0], [2.0], [3.0], [0.5], [-2.0]])
    test = {"x": x, "label": torch.tensor([0, 0, 1, 0, 1])}
    return TensorData({"train": test, "val": test, "test": test}, count("cross_entropy"))


def test_mistakes_come_with_the_most_certain_one_first() -> None:
    found = find_mistakes(Says(), data(), "test", "x")
    assert [(wrong.sample, wrong.label, wrong.taken) for wrong in found] == [(1, 0, 1), (4, 1, 0), (3, 0, 1)]
    assert found[0].certainty == pytest.approx(1 / (1 + torch.tensor(-2.0).exp().item()))
    assert found[0].inputs.tolist() == [2.0]


def test_their_table_counts_all_and_shows_the_worst() -> None:
    found = find_mistakes(Says(), data(), "test", "x")
    table = mistakes_table(found, 5, "test rows", ["x"], lambda wrong: wrong.inputs.tolist(), ["no", "yes"])
    assert table["columns"] == ["no.", "is", "taken for", "certainty", "x"]
    assert table["rows"][0] == [1, "no", "yes", 0.8808, 2.0]
    assert table["note"] == "3 of 5 test rows were taken for something else."
    many = mistakes_table(found * 10, 50, "test rows", [], lambda wrong: [])
    assert len(many["rows"]) == 24
    assert many["note"].endswith("these 24 with the most certainty.")


@pytest.mark.parametrize(
    ("task", "columns"),
    [
        (Points(n=20), ["x", "y"]),
        (Tabular(), ["alcohol", "malic_acid"]),
        (Tabular(source="breast-cancer"), ["stands out, in standard deviations"]),
    ],
    ids=["points", "narrow table", "wide table"],
)
def test_a_network_that_knows_nothing_makes_mistakes_that_are_shown(
    task: Points | Tabular, columns: list[str], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    task.artifacts(task.model().eval(), tmp_path)
    table = json.loads((tmp_path / "mistakes.json").read_text())
    assert table["columns"][4 : 4 + len(columns)] == columns
    assert 0 < len(table["rows"]) <= 24
    assert all(len(row) == len(table["columns"]) for row in table["rows"])


def test_rows_are_shown_as_they_were_read_not_as_they_were_scaled(tmp_path: Path) -> None:
    task = Tabular()
    torch.manual_seed(0)
    table = task.mistakes(task.model().eval())
    features, _ = task.part("test")
    for row in table["rows"]:
        assert row[4:] == features[int(row[0])].tolist()


def test_images_of_any_data_set_are_shown(tmp_path: Path) -> None:
    task = DigitsDataset(width=4)
    task.artifacts(task.model().eval(), tmp_path)
    assert "images were taken for something else" in (tmp_path / "mistakes.svg").read_text()


def test_strings_are_shown_with_the_symbol_at_which_the_state_went_wrong() -> None:
    automaton = compile_patterns([("a*b*", 1)], "ab")
    strings = torch.tensor([[0, 1, -1], [1, 0, -1], [0, 0, 0]], dtype=torch.int8)
    encoded = encode(automaton, strings.numpy())
    said = {name: encoded[name].clone() for name in ("next", "class", "state")}
    said["class"][1, 2], said["state"][1, 2] = 1, (int(encoded["state"][1, 2]) + 1) % 3
    nll = {name: torch.zeros(said[name].shape, dtype=torch.float64) for name in said}
    nll["class"][1, 2] = 3.25
    table = wrong_strings({"test": Scores(automaton, encoded, said, nll)}, ["none", "a*b*"])
    assert table["rows"] == [[3.25, "test", "none", "a*b*", 2, 2, "ba"]]
    assert table["note"].startswith("1 of 3 strings were taken for something else.")


def test_points_furthest_from_a_line_come_first() -> None:
    x, y = torch.tensor([[0.0], [1.0], [-1.0]]), torch.tensor([[1.5], [3.1], [-3.0]])
    rows = furthest(x, y, torch.tensor([[-1.0], [3.0]]), shown=2)["rows"]
    assert rows == [[2, -1.0, -3.0, -1.0, -2.0], [0, 0.0, 1.5, 1.0, 0.5]]
