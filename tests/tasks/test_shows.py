from __future__ import annotations

import pytest
import torch

from loopwright.protocols import Batch, Plan, Shows
from loopwright.tasks.digits import Digits
from loopwright.tasks.digits_dataset import DigitsDataset
from loopwright.tasks.images import in_shades
from loopwright.tasks.line import Line
from loopwright.tasks.mnist import Mnist
from loopwright.tasks.points import Points
from loopwright.tasks.tabular import Tabular

TASKS = [Points(), Line(), Digits(), DigitsDataset(), Tabular()]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_every_task_shows_its_samples_as_the_model_saw_them(task):
    assert isinstance(task, Shows)
    batch = next(iter(task.data.batches(Plan(seed=0, batch_size=8), start=0)))[0]
    shown = [task.show(batch, row) for row in range(8)]
    assert len(set(shown)) == 8
    assert all(1 <= len(text.splitlines()) <= 16 for text in shown)
    if "label" in batch.tensors:
        labels = [int(label) for label in batch["label"]]
        assert [text.split()[-1].removeprefix("class_") for text in shown] == [str(label) for label in labels]


def test_points_and_lines_are_shown_as_numbers():
    point = Batch({"point": torch.tensor([[0.5, -0.25]]), "label": torch.tensor([1])}, {}, torch.tensor([7]))
    assert Points().show(point, 0) == "(0.5000, -0.2500) class 1"
    line = Batch({"x": torch.tensor([[0.5]]), "y": torch.tensor([[2.0]])}, {}, torch.tensor([7]))
    assert Line().show(line, 0) == "x 0.5000  y 2.0000"


def test_images_are_shown_in_shades():
    assert in_shades(torch.tensor([[0.0, 1.0], [0.5, 0.25]])) == "  ██\n▒▒░░"
    assert in_shades(torch.zeros(2, 2)) == "    \n    "
    tall = torch.zeros(28, 28)
    tall[:2, 0] = 1
    shown = in_shades(tall).split("\n")
    assert len(shown) == 14
    assert shown[0] == "█" + 27 * " "


def test_mnist_is_shown_with_its_label():
    image = torch.zeros(1, 1, 28, 28)
    image[0, 0, :2, :] = 1
    batch = Batch({"image": image, "label": torch.tensor([3])}, {}, torch.tensor([0]))
    lines = Mnist().show(batch, 0).splitlines()
    assert lines[-1] == "label 3"
    assert lines[0] == 28 * "█"
