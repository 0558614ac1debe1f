from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch

from loopwright.data import SequenceData, TensorData
from loopwright.data.buckets import bucketed
from loopwright.errors import DataError
from loopwright.protocols import Data, Plan, Worker

LONGEST = 12


def padded(lengths) -> dict[str, torch.Tensor]:
    """Sequence i is [1, i + 2, i + 2, …] of its length, then zeros; beside it a mask, its number and a curve."""
    length = torch.tensor(lengths)
    mask = torch.arange(LONGEST) < length[:, None]
    number = torch.arange(len(length))
    tokens = (number[:, None] + 2) * mask
    tokens[:, 0] = 1
    return {"tokens": tokens, "mask": mask, "length": length, "label": number, "curve": mask[..., None].float()}


def weigh(tensors):
    return {"next": float(tensors["mask"].sum()), "label": float(len(tensors["label"]))}


def toy(size: int = 25) -> SequenceData:
    # The empty string (BOS and EOS), one symbol, and the longest are among them.
    lengths = np.random.default_rng(0).integers(4, LONGEST, size).tolist()
    return SequenceData({"train": padded([2, 3, LONGEST, *lengths[3:]]), "val": padded([2, 5, 3])}, weigh)


def flat(steps) -> list[tuple]:
    return [
        (shard.samples.tolist(), {name: tensor.tolist() for name, tensor in shard.tensors.items()}, shard.weights)
        for step in steps
        for shard in step
    ]


def test_sequence_data_is_a_data():
    data: Data = toy()
    assert [data.size("train"), data.size("val"), data.size("test")] == [25, 3, 0]


def test_a_batch_holds_the_rows_of_its_samples_no_wider_than_the_longest():
    data = toy()
    train = data.splits["train"]
    widths = set()
    for (batch,) in islice(data.batches(Plan(seed=0, batch_size=4), 0), 14):
        T = int(batch["length"].max())
        widths.add(T)
        assert batch["tokens"].shape == batch["mask"].shape == (len(batch), T)
        assert batch["curve"].shape == (len(batch), T, 1)
        for name, tensor in batch.tensors.items():
            whole = train[name][batch.samples]
            assert torch.equal(tensor, whole[:, :T] if whole.ndim > 1 else whole)
            assert tensor.is_contiguous()
        assert batch.weights == {"next": float(batch["length"].sum()), "label": float(len(batch))}
    assert len(widths) > 3


def test_batches_are_those_of_the_buckets():
    data, plan = toy(), Plan(seed=3, batch_size=4)
    expected = [step.tolist() for epoch in (0, 1) for step in bucketed(data.splits["train"]["length"], plan, epoch)]
    assert [batch.samples.tolist() for (batch,) in islice(data.batches(plan, 0), 14)] == expected


def test_every_epoch_sees_every_sequence_once():
    steps = list(islice(toy().batches(Plan(seed=0, batch_size=4), 0), 14))
    orders = [[sample for (batch,) in epoch for sample in batch.samples.tolist()] for epoch in (steps[:7], steps[7:])]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(25))
    assert orders[0] != orders[1]


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_step_does_not_depend_on_where_the_iteration_starts(shuffle):
    data, plan = toy(), Plan(seed=5, batch_size=4, shards=2, shuffle=shuffle)
    steps = list(islice(data.batches(plan, 0), 24))
    for start in range(22):
        assert flat(islice(data.batches(plan, start), 2)) == flat(steps[start : start + 2])


@pytest.mark.parametrize("strided", [True, False])
@pytest.mark.parametrize("size", [1, 2, 4])
def test_workers_share_the_shards_of_one_worker(size, strided):
    data = toy()
    plans = [Plan(seed=1, batch_size=6, shards=4, worker=Worker(rank, size, strided)) for rank in range(size)]
    alone = islice(data.batches(Plan(seed=1, batch_size=6, shards=4), 0), 10)
    shared = zip(*(islice(data.batches(plan, 0), 10) for plan in plans), strict=True)
    for expected, parts in zip(alone, shared, strict=True):
        found = {}
        for plan, shards in zip(plans, parts, strict=True):
            found |= dict(zip(plan.worker.numbers(len(expected)), shards, strict=True))
        assert flat([[found[number] for number in sorted(found)]]) == flat([expected])


def test_shards_of_a_step_have_one_width():
    whole = islice(toy().batches(Plan(seed=0, batch_size=6), 0), 10)
    cut = islice(toy().batches(Plan(seed=0, batch_size=6, shards=4), 0), 10)
    shorter = 0
    for (batch,), shards in zip(whole, cut, strict=True):
        assert torch.equal(torch.cat([shard["tokens"] for shard in shards]), batch["tokens"])
        shorter += sum(int(shard["length"].max()) < shard["tokens"].shape[1] for shard in shards)
    assert shorter


def test_scan_gives_a_split_once_in_order_and_cropped():
    (whole,) = toy().scan("val")
    assert whole["tokens"].tolist() == [[1, 2, 0, 0, 0], [1, 3, 3, 3, 3], [1, 4, 4, 0, 0]]
    first, second = toy().scan("val", batch_size=2)
    assert [first["tokens"].shape, second["tokens"].shape] == [(2, 5), (1, 3)]
    assert [first.samples.tolist(), second.samples.tolist()] == [[0, 1], [2]]
    assert [first.weights, second.weights] == [{"next": 7.0, "label": 2.0}, {"next": 3.0, "label": 1.0}]


def test_a_model_that_works_in_place_cannot_change_the_data():
    data = toy()
    (batch,) = data.scan("val")
    (first,) = next(data.batches(Plan(seed=0, batch_size=4), 0))
    for tensor in (*batch.tensors.values(), *first.tensors.values()):
        tensor.zero_()
    assert SequenceData(data.splits, weigh).sha256() == toy().sha256()


def test_the_digest_is_that_of_the_tensors():
    data = toy()
    assert data.sha256() == TensorData(data.splits, weigh).sha256()


def test_a_batch_larger_than_the_split_is_refused_at_once_as_by_tensor_data():
    data, plan = toy(), Plan(seed=0, batch_size=26)
    messages = []
    for each in (data, TensorData(data.splits, weigh)):
        with pytest.raises(DataError, match=r"batch_size 26 .*\(25 samples\)") as caught:
            each.batches(plan, 0)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_data_without_a_training_split_cannot_be_trained_on_or_scanned():
    data = SequenceData({"val": padded([2])}, weigh)
    with pytest.raises(DataError, match="train split is empty"):
        data.batches(Plan(seed=0, batch_size=1), 0)
    with pytest.raises(DataError, match="test split is empty or missing"):
        data.scan("test")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"length": None}, "needs a tensor 'length', .*found: none"),
        ({"length": torch.ones(3)}, r"needs a tensor 'length', .*found: torch.float32 \(3,\)"),
        ({"length": torch.tensor([2, 0, 3])}, "lengths from 0 to 3: each must be at least 1"),
        ({"length": torch.tensor([2, 13, 3])}, r"lengths from 2 to 13: .*\(tokens 12, mask 12, curve 12\)"),
        ({"length": torch.ones(2, dtype=torch.int64)}, "all of the same length; found: .*length 2"),
        ({"mask": torch.ones(3, 5)}, "in all as many of them; found: tokens 12, mask 5"),
        ({"tokens": None, "mask": None, "curve": None}, "a tensor with positions, .*found: none"),
    ],
)
def test_lengths_and_tensors_that_do_not_fit_together_are_refused(changed, message):
    tensors = {name: tensor for name, tensor in {**padded([2, 5, 3]), **changed}.items() if tensor is not None}
    with pytest.raises(DataError, match=message):
        SequenceData({"val": tensors}, weigh)


def test_an_unknown_split_is_refused_with_the_nearest_name():
    with pytest.raises(DataError, match="'trian': did you mean 'train'"):
        SequenceData({"trian": padded([2])}, weigh)
