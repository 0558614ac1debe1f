from __future__ import annotations

from itertools import islice

import pytest
import torch

from loopwright.data.tensors import TensorData, count
from loopwright.errors import DataError
from loopwright.protocols import Data, Plan
from loopwright.seeding import uniform


def toy(size: int = 10, **kwargs) -> TensorData:
    x = torch.arange(size * 2, dtype=torch.float32).reshape(size, 2)
    val = {"x": torch.ones(3, 2), "y": torch.tensor([7, 8, 9])}
    return TensorData({"train": {"x": x, "y": torch.arange(size)}, "val": val}, count("mse"), **kwargs)


def jitter(tensors, draw):
    return {**tensors, "x": tensors["x"] + draw(2)}


def flat(steps) -> list[tuple]:
    return [(shard.samples.tolist(), shard["x"].tolist(), shard.weights) for step in steps for shard in step]


def test_tensor_data_is_a_data():
    data: Data = toy()
    assert [data.size("train"), data.size("val"), data.size("test")] == [10, 3, 0]


def test_a_batch_holds_the_rows_of_its_samples():
    for (batch,) in islice(toy().batches(Plan(seed=0, batch_size=4), 0), 6):
        assert torch.equal(batch["y"], batch.samples)
        assert torch.equal(batch["x"][:, 0], 2.0 * batch.samples)
        assert batch.samples.dtype == torch.int64


def test_a_short_last_batch_keeps_its_weight():
    steps = islice(toy().batches(Plan(seed=0, batch_size=4), 0), 3)
    assert [batch.weights for (batch,) in steps] == [{"mse": 4.0}, {"mse": 4.0}, {"mse": 2.0}]


def test_an_epoch_sees_every_sample_once():
    steps = islice(toy().batches(Plan(seed=0, batch_size=4), 0), 3)
    assert sorted(sample for (batch,) in steps for sample in batch.samples.tolist()) == list(range(10))


def test_shards_cut_the_same_batch():
    whole = islice(toy().batches(Plan(seed=0, batch_size=5, shards=1), 0), 4)
    cut = islice(toy().batches(Plan(seed=0, batch_size=5, shards=3), 0), 4)
    for (batch,), shards in zip(whole, cut, strict=True):
        assert [len(shard) for shard in shards] == [2, 2, 1]
        assert torch.equal(torch.cat([shard["x"] for shard in shards]), batch["x"])
        assert [shard.weights["mse"] for shard in shards] == [2.0, 2.0, 1.0]


def test_a_batch_smaller_than_its_shards_has_no_empty_shard():
    *_, last = islice(toy(9).batches(Plan(seed=0, batch_size=4, shards=4), 0), 3)
    assert [len(shard) for shard in last] == [1]


def test_starting_late_equals_skipping_with_augmentation_too():
    data, plan = toy(augment=jitter), Plan(seed=5, batch_size=4, shards=2)
    assert flat(islice(data.batches(plan, 7), 5)) == flat(islice(data.batches(plan, 0), 7, 12))


def test_augmentation_belongs_to_the_sample_and_the_epoch():
    data = toy(augment=jitter)
    (batch,) = next(data.batches(Plan(seed=5, batch_size=10), 1))
    alone = torch.tensor([[3]])
    position = batch.samples.tolist().index(3)
    assert torch.equal(batch["x"][position], torch.tensor([6.0, 7.0]) + uniform(5, 1, alone[0])(2)[0])


def test_augmentation_does_not_depend_on_the_shards():
    data = toy(augment=jitter)
    (whole,) = next(data.batches(Plan(seed=5, batch_size=10), 0))
    shards = next(data.batches(Plan(seed=5, batch_size=10, shards=4), 0))
    assert torch.equal(torch.cat([shard["x"] for shard in shards]), whole["x"])


def test_scan_gives_a_split_once_in_order_and_not_augmented():
    data = toy(augment=jitter)
    batches = list(data.scan("train", batch_size=4))
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert torch.equal(torch.cat([batch["x"] for batch in batches]), data.splits["train"]["x"])
    assert torch.cat([batch.samples for batch in batches]).tolist() == list(range(10))
    assert batches[-1].weights == {"mse": 2.0}


def test_a_model_that_works_in_place_cannot_change_the_data():
    data = toy()
    before = data.sha256()
    (batch,) = data.scan("val")
    batch["x"].zero_()
    (first,) = next(data.batches(Plan(seed=0, batch_size=4), 0))
    first["x"].zero_()
    assert data.splits["val"]["x"].min() == 1
    assert toy().sha256() == before
    assert TensorData(data.splits, data.weigh).sha256() == before


def test_weigh_sees_the_augmented_tensors():
    def mask(tensors, draw):
        return {**tensors, "mask": tensors["y"] > 4}

    data = TensorData(toy().splits, lambda t: {"mse": float(t.get("mask", t["y"]).sum())}, augment=mask)
    (batch,) = next(data.batches(Plan(seed=0, batch_size=10), 0))
    assert batch.weights == {"mse": 5.0}


def test_the_digest_does_not_depend_on_the_order_of_names():
    splits = toy().splits
    turned = {split: dict(reversed(splits[split].items())) for split in reversed(splits)}
    assert TensorData(turned, count()).sha256() == toy().sha256()


@pytest.mark.parametrize(
    "changed",
    [
        {"train": {"x": torch.zeros(2), "z": torch.zeros(2)}},
        {"val": {"x": torch.zeros(2), "y": torch.zeros(2)}},
        {"train": {"x": torch.zeros(2), "y": torch.zeros(2, 1)}},
        {"train": {"x": torch.zeros(2), "y": torch.zeros(2, dtype=torch.int32)}},
        {"train": {"x": torch.zeros(2), "y": -torch.zeros(2)}},
        {"train": {"x": torch.zeros(2)}},
    ],
)
def test_the_digest_sees_names_splits_shapes_dtypes_and_bytes(changed):
    original = {"train": {"x": torch.zeros(2), "y": torch.zeros(2)}}
    assert TensorData(changed, count()).sha256() != TensorData(original, count()).sha256()


def test_the_digest_is_the_same_for_any_memory_layout():
    x = torch.arange(6).reshape(2, 3)
    turned = x.T.contiguous().T
    assert not turned.is_contiguous()
    assert TensorData({"train": {"x": x}}, count()).sha256() == TensorData({"train": {"x": turned}}, count()).sha256()


def test_a_batch_larger_than_the_split_is_refused_at_once():
    with pytest.raises(DataError, match=r"batch_size 11 .*\(10 samples\)"):
        toy().batches(Plan(seed=0, batch_size=11), 0)


def test_data_without_a_training_split_cannot_be_trained_on():
    with pytest.raises(DataError, match="train split is empty"):
        TensorData({"val": {"x": torch.ones(2)}}, count()).batches(Plan(seed=0, batch_size=1), 0)


@pytest.mark.parametrize("split", ["test", "val"])
def test_a_missing_or_empty_split_cannot_be_scanned(split):
    data = TensorData({"val": {"x": torch.ones(0, 2)}}, count())
    with pytest.raises(DataError, match=f"{split} split is empty or missing"):
        data.scan(split)


def test_tensors_that_disagree_in_length_are_refused():
    with pytest.raises(DataError, match=r"train split .* x 3, y 2"):
        TensorData({"train": {"x": torch.ones(3), "y": torch.ones(2)}}, count())


def test_a_split_without_tensors_is_refused():
    with pytest.raises(DataError, match=r"train split .* none"):
        TensorData({"train": {}}, count())


def test_an_unknown_split_is_refused_with_the_nearest_name():
    with pytest.raises(DataError, match="'trian': did you mean 'train'"):
        TensorData({"trian": {"x": torch.ones(3)}}, count())
