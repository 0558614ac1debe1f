from __future__ import annotations

import multiprocessing
import random
import subprocess
import sys
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import pytest
import torch

from loopwright.data.loader import DatasetData
from loopwright.data.padding import pad
from loopwright.data.tensors import count
from loopwright.data.transforms import Compose, On, RandomRotation
from loopwright.errors import DataError
from loopwright.protocols import Data, Plan, Worker

# One core: PyTorch warns that two workers are many. Later Pythons warn of forking beside threads.
pytestmark = [
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork"),
]

PLAN = Plan(seed=3, batch_size=4, shards=2)


@dataclass(frozen=True)
class Noisy:
    """Ten samples that draw from all three global generators."""

    size: int = 10

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> dict[str, object]:
        noise = torch.rand(2) + float(np.random.rand()) + random.random()
        return {"x": index + noise, "y": index}


def images() -> list[dict[str, object]]:
    return [{"image": torch.full((1, 6, 6), float(n + 1)), "y": n} for n in range(10)]


def loaded(workers: int, start_method: str | None = None) -> DatasetData:
    turned = On("image", Compose((RandomRotation(30), RandomRotation(10))))
    splits = {"train": images(), "val": images()[:3]}
    return DatasetData(splits, count("ce"), turned, num_workers=workers, start_method=start_method)


def bits(data: Data, start: int, steps: int) -> list[tuple]:
    return [
        (shard.samples.tolist(), shard.weights, {name: t.tolist() for name, t in shard.tensors.items()})
        for step in islice(data.batches(PLAN, start), steps)
        for shard in step
    ]


def generator_states() -> tuple:
    return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()


def test_a_step_holds_the_items_of_its_samples_cut_into_shards():
    steps = list(islice(loaded(0).batches(PLAN, 0), 3))
    assert [[len(shard) for shard in step] for step in steps] == [[2, 2], [2, 2], [2]]
    for shard in (shard for step in steps for shard in step):
        assert torch.equal(shard["y"], shard.samples)
        assert shard["image"].shape == (len(shard), 1, 6, 6)
        assert shard.weights == {"ce": float(len(shard))}
    seen = sorted(n for step in steps for shard in step for n in shard.samples.tolist())
    assert seen == list(range(10))


def test_of_several_workers_each_gets_its_own_shards():
    plans = [replace(PLAN, shards=4, worker=Worker(rank, 3)) for rank in range(3)]
    whole = next(iter(loaded(0).batches(replace(PLAN, shards=4), 0)))
    parts = [shard for plan in plans for shard in next(iter(loaded(0).batches(plan, 0)))]
    assert [shard.samples.tolist() for shard in parts] == [shard.samples.tolist() for shard in whole]
    assert [len(next(iter(loaded(0).batches(plan, 2)))) for plan in plans] == [0, 1, 1]


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_no_bit(workers):
    data = DatasetData({"train": Noisy()}, count("mse"), num_workers=workers)
    assert bits(data, 0, 7) == bits(DatasetData({"train": Noisy()}, count("mse")), 0, 7)


def test_spawned_workers_change_no_bit():
    assert bits(loaded(2, "spawn"), 0, 4) == bits(loaded(0), 0, 4)


@pytest.mark.parametrize("workers", [0, 2])
def test_starting_mid_epoch_equals_skipping(workers):
    data = DatasetData({"train": Noisy()}, count("mse"), num_workers=workers)
    assert bits(data, 4, 3) == bits(data, 0, 7)[-5:]


def test_random_numbers_belong_to_the_sample_whatever_the_batch():
    data = DatasetData({"train": Noisy()}, count("mse"))
    by_four = {n: x for shard in bits(data, 0, 3) for n, x in zip(shard[0], shard[2]["x"], strict=True)}
    (whole,) = next(data.batches(Plan(seed=3, batch_size=10), 0))
    assert dict(zip(whole.samples.tolist(), whole["x"].tolist(), strict=True)) == by_four


def test_epochs_and_seeds_draw_different_numbers():
    data = DatasetData({"train": Noisy(1)}, count("mse"))
    drawn = [
        next(data.batches(Plan(seed=seed, batch_size=1), epoch))[0]["x"].tolist()
        for seed in range(2)
        for epoch in range(2)
    ]
    assert len({str(x) for x in drawn}) == 4


@pytest.mark.parametrize("workers", [0, 1])
def test_the_callers_generators_stay_as_they_were(workers):
    data = DatasetData({"train": Noisy(), "val": Noisy()}, count("mse"), num_workers=workers)
    before = generator_states()
    list(islice(data.batches(PLAN, 0), 2))
    list(data.scan("val"))
    assert generator_states() == before


def test_what_the_caller_draws_in_between_changes_nothing():
    data = DatasetData({"train": Noisy()}, count("mse"))
    expected = bits(data, 0, 3)
    random.seed(1), np.random.seed(2), torch.manual_seed(3)
    assert bits(data, 0, 3) == expected


@dataclass(frozen=True)
class Threads:
    """Samples that are the number of threads they were made on."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> dict[str, int]:
        return {"threads": torch.get_num_threads()}


@pytest.mark.parametrize("workers", [0, 1])
def test_samples_are_made_on_one_thread_with_or_without_workers(workers):
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        (batch,) = DatasetData({"val": Threads()}, count(), num_workers=workers).scan("val")
        assert batch["threads"].tolist() == [1, 1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("workers", [0, 2])
def test_scan_is_in_order_and_not_augmented(workers):
    batches = list(loaded(workers).scan("train", batch_size=4))
    assert torch.cat([batch.samples for batch in batches]).tolist() == list(range(10))
    assert torch.equal(torch.cat([batch["image"] for batch in batches]), torch.stack([i["image"] for i in images()]))
    assert batches[-1].weights == {"ce": 2.0}


def test_scans_of_a_random_dataset_are_equal():
    data = DatasetData({"val": Noisy()}, count("mse"))
    one, other = (torch.cat([batch["x"] for batch in data.scan("val", size)]) for size in (3, 10))
    assert torch.equal(one, other)


def test_the_digest_is_the_same_for_any_number_of_workers_and_sees_the_items():
    changed = [{**item, "y": 0} for item in images()]
    assert loaded(0).sha256() == loaded(2).sha256()
    assert loaded(0).sha256() != DatasetData({"train": changed, "val": images()[:3]}, count("ce")).sha256()


def test_workers_end_with_the_iterator():
    batches = DatasetData({"train": Noisy()}, count("mse"), num_workers=2).batches(PLAN, 0)
    next(batches)
    assert len(multiprocessing.active_children()) == 2
    del batches
    assert multiprocessing.active_children() == []


def test_a_collate_of_ones_own_pads_sequences():
    def padded(items):
        return {"tokens": pad([item["tokens"] for item in items], value=0)}

    data = DatasetData({"val": [{"tokens": [1, 2]}, {"tokens": []}]}, count("ce"), collate=padded)
    (batch,) = data.scan("val")
    assert batch["tokens"].tolist() == [[1, 2], [0, 0]]


def test_errors_come_at_once():
    data = loaded(0)
    with pytest.raises(DataError, match=r"batch_size 11 .*\(10 samples\)"):
        data.batches(Plan(seed=0, batch_size=11), 0)
    with pytest.raises(DataError, match="test split is empty or missing"):
        data.scan("test")
    with pytest.raises(DataError, match="'valid': did you mean 'val'"):
        DatasetData({"valid": images()}, count())


@pytest.mark.parametrize(
    ("item", "found"), [((torch.ones(1), 2), "a list"), ({"x": 1.0, "name": "a"}, "from names to list")]
)
def test_items_that_are_no_mapping_to_tensors_are_refused(item, found):
    with pytest.raises(DataError, match=found):
        next(DatasetData({"val": [item]}, count()).scan("val"))


FAILING = """
import sys
from loopwright.data.loader import DatasetData
from loopwright.data.tensors import count
from loopwright.protocols import Plan


class Items:
    def __len__(self):
        return 8

    def __getitem__(self, index):
        if index == 5:
            raise ValueError("item 5")
        return {"x": float(index)}


if __name__ == "__main__":
    data = DatasetData({"train": Items()}, count("mse"), num_workers=1)
    batches = data.batches(Plan(seed=0, batch_size=4), 0)
    next(batches) if sys.argv[1] == "elsewhere" else list(zip(batches, range(4)))
    raise KeyError("the task's own")
"""


@pytest.mark.parametrize("where", ["elsewhere", "item"])
def test_an_error_ends_the_process_and_its_loader_workers(where, tmp_path):
    (tmp_path / "failing.py").write_text(FAILING)
    command = [sys.executable, "failing.py", where]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert ("the task's own" if where == "elsewhere" else "item 5") in done.stderr
