from __future__ import annotations

import gzip
import json
import struct
from dataclasses import replace

import pytest
import torch

from loopwright.cli.main import main
from loopwright.core import evaluate
from loopwright.errors import DataError
from loopwright.experiments.line import line
from loopwright.experiments.points import points, points_circles, points_linear, points_xor
from loopwright.tasks.line import Line
from loopwright.tasks.mnist import BACKGROUND, Mnist
from loopwright.tasks.points import SHAPES, Points
from tests.toys import run


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [50, 101, 200])
def test_points_have_two_classes_of_equal_size_and_a_rule_without_noise(shape, n):
    data = Points(shape=shape, n=n).data
    for split in ("train", "val", "test"):
        label, point = data.splits[split]["label"], data.splits[split]["point"]
        assert abs(int((label == 0).sum()) - int((label == 1).sum())) <= 1
        assert point.abs().max() <= 1.0
    assert not torch.equal(data.splits["train"]["point"], data.splits["test"]["point"])
    assert data.sha256() == Points(shape=shape, n=n).data.sha256()
    assert data.sha256() != Points(shape=shape, n=n, data_seed=1).data.sha256()


@pytest.mark.parametrize("make", [points, points_linear, points_circles, points_xor], ids=lambda make: make.__name__)
def test_points_are_learned_to_the_last_one(make, tmp_path):
    experiment = replace(make(), device="cpu", eval_every=750)
    state, _, _ = run(experiment)
    reached = evaluate(experiment.task, state.model, "train")
    assert reached["accuracy"] == 1.0
    assert reached["loss"] < 1e-3
    state.model.eval()
    with torch.no_grad():
        experiment.task.artifacts(state.model, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "decision-boundary.svg",
        "confusion-matrix.json",
        "mistakes.json",
        "per-class.json",
    }


def test_the_line_is_found(tmp_path):
    experiment = replace(line(), device="cpu", epochs=10)
    state, _, _ = run(experiment)
    found = evaluate(experiment.task, state.model, "test")
    assert found["slope"] == pytest.approx(2, abs=0.03)
    assert found["intercept"] == pytest.approx(1, abs=0.03)
    # The noise alone has a mean square of 0.01; 1,000 points give it to a few per cent.
    assert found["loss"] == pytest.approx(0.01, rel=0.15)
    with torch.no_grad():
        experiment.task.artifacts(state.model, tmp_path)
    assert (tmp_path / "line.svg").is_file()


def test_a_line_without_noise_is_exact_data():
    train = Line(noise=0.0).data.splits["train"]
    assert torch.equal(train["y"], 2 * train["x"] + 1)


def write_idx(path, values, magic):
    header = struct.pack(f">I{values.ndim}I", magic, *values.shape)
    path.write_bytes(gzip.compress(header + values.numpy().tobytes()))


@pytest.fixture
def idx(tmp_path):
    """A small MNIST: 240 and 40 images, each with a bright square whose place is the label."""
    for stem, count in (("train", 240), ("t10k", 40)):
        labels = (torch.arange(count) % 10).to(torch.uint8)
        images = torch.zeros(count, 28, 28, dtype=torch.uint8)
        for image, label in zip(images, labels.tolist(), strict=True):
            image[2 + 2 * label : 6 + 2 * label, 8:20] = 255
        write_idx(tmp_path / f"{stem}-images-idx3-ubyte.gz", images, 0x803)
        write_idx(tmp_path / f"{stem}-labels-idx1-ubyte.gz", labels, 0x801)
    return tmp_path


def test_mnist_is_read_split_and_normalized(idx):
    data = Mnist(data_dir=idx).data
    assert [data.size(split) for split in ("train", "val", "test")] == [220, 20, 40]
    image = data.splits["train"]["image"]
    assert image.shape == (220, 1, 28, 28)
    assert image.min().item() == pytest.approx(BACKGROUND)
    assert data.splits["train"]["label"].bincount().tolist() == [22] * 10


def test_only_training_images_are_moved_and_background_comes_in_from_outside(idx):
    task = Mnist(data_dir=idx, pixels=4.0)
    batch = next(task.data.batches(replace(points(), task=task, batch_size=32).plan(), 0))[0]
    original = task.data.splits["train"]["image"][batch.samples]
    assert not torch.equal(batch["image"], original)
    corners = batch["image"][:, 0, [0, 0, -1, -1], [0, -1, 0, -1]]
    # Interpolation between background and background rounds once or twice.
    torch.testing.assert_close(corners, torch.full_like(corners, BACKGROUND), rtol=0, atol=1e-6)
    first, second = (torch.cat([b["image"] for b in task.data.scan("val")]) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(first, task.data.splits["val"]["image"])


def test_mnist_trains_through_the_command_line(idx, tmp_path, capsys):
    flags = ["--data-dir", str(idx), "--epochs", "6", "--batch-size", "20", "--threads", "1", "--quiet"]
    assert main(["train", "mnist-cnn", *flags, "--run-dir", str(tmp_path / "runs")]) == 0
    run_ = tmp_path / "runs/mnist-cnn/001"
    assert (run_ / "artifacts/mistakes.svg").is_file()
    results = json.loads((run_ / "metrics.json").read_text())
    assert results["test"]["best"]["accuracy"] == 1.0
    assert "test   accuracy" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "train-images-idx3-ubyte"),
        (lambda path: path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-5])), "188160"),
        (
            lambda path: path.write_bytes(gzip.compress(b"\0\0\x08\x01" + gzip.decompress(path.read_bytes())[4:])),
            "train",
        ),
        (lambda path: path.write_bytes(b"not gzip"), "train-images-idx3-ubyte.gz"),
    ],
    ids=["missing", "truncated", "magic", "not gzip"],
)
def test_damaged_idx_files_are_one_line_errors_before_anything_is_written(idx, tmp_path, capsys, damage, message):
    damage(idx / "train-images-idx3-ubyte.gz")
    root = tmp_path / "runs"
    assert main(["train", "mnist-cnn", "--data-dir", str(idx), "--run-dir", str(root), "--quiet"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) <= 2
    assert not root.exists()


def test_labels_out_of_range_are_refused(idx):
    labels = torch.full((240,), 11, dtype=torch.uint8)
    write_idx(idx / "train-labels-idx1-ubyte.gz", labels, 0x801)
    with pytest.raises(DataError, match="found label 11, expected digits from 0 to 9"):
        _ = Mnist(data_dir=idx).data
