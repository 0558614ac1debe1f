from __future__ import annotations

import os
import shutil
import signal
import threading
from concurrent.futures import wait as wait_for
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from loopwright.errors import CheckpointError, StoreError
from loopwright.protocols import Store
from loopwright.store import CheckpointStore, newest_good, read_checkpoint, save_checkpoint, write_checkpoint
from tests.store.full_disk import room_for


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def content(value: float) -> dict[str, Tensor]:
    return {"weights": torch.full((1000,), float(value))}


def saved(directory: Path, steps: range, best: int = -1, keep: int = 2) -> Path:
    with CheckpointStore(directory, keep) as store:
        for step in steps:
            store.save(content(step), step, best=step == best)
    return directory


def value(path: Path) -> float:
    weights = read_checkpoint(path)["state"]["weights"]
    assert bool((weights == weights[0]).all())
    return float(weights[0])


def damage(path: Path) -> None:
    with open(path, "r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 4]))


def test_a_checkpoint_store_is_a_store(tmp_path):
    store: Store = CheckpointStore(tmp_path / "a/b")
    store.save({"weights": torch.ones(2), "step": 1}, 1, best=False)
    store.wait()
    store.wait()
    assert read_checkpoint(tmp_path / "a/b/last.pt")["state"]["step"] == 1


def test_the_newest_are_kept_and_never_the_best_dropped(tmp_path):
    saved(tmp_path, range(6), best=2)
    assert names(tmp_path) == ["best.pt", "last.pt", "step-00000004.pt", "step-00000005.pt"]
    assert value(tmp_path / "best.pt") == 2
    assert (tmp_path / "last.pt").samefile(tmp_path / "step-00000005.pt")


@pytest.mark.parametrize(("keep", "kept"), [(0, []), (1, [5]), (3, [3, 4, 5]), (9, [0, 1, 2, 3, 4, 5])])
def test_as_many_are_kept_as_was_said(tmp_path, keep, kept):
    saved(tmp_path, range(6), keep=keep)
    assert names(tmp_path) == ["last.pt", *(f"step-{step:08d}.pt" for step in kept)]
    assert value(tmp_path / "last.pt") == 5


def test_the_best_is_a_second_name_of_its_step(tmp_path):
    saved(tmp_path, range(1, 3), best=2)
    for name in ("best.pt", "last.pt"):
        assert (tmp_path / name).samefile(tmp_path / "step-00000002.pt")


def test_steps_of_nine_digits_are_newer_than_those_of_eight(tmp_path):
    saved(tmp_path, range(99_999_997, 100_000_002))
    assert names(tmp_path) == ["last.pt", "step-100000000.pt", "step-100000001.pt"]
    assert newest_good(tmp_path).path.name == "step-100000001.pt"


def test_later_steps_left_over_count_for_nothing_and_stay(tmp_path):
    saved(tmp_path, range(8, 10))
    saved(tmp_path, range(1, 4))
    assert names(tmp_path) == ["last.pt", *(f"step-0000000{step}.pt" for step in (2, 3, 8, 9))]
    assert value(tmp_path / "last.pt") == 3


def test_other_files_are_left_alone_and_half_written_ones_cleaned_up(tmp_path):
    for name in (".step-00000001.pt.77.tmp", "step-00000001.pt.tmp", "step-1.pt", "step-00000001.pt.bak", "notes.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / "step-00000001.pt").mkdir()
    saved(tmp_path, range(2, 5), keep=1)
    assert names(tmp_path) == [
        "last.pt",
        "notes.txt",
        "step-00000001.pt",
        "step-00000001.pt.bak",
        "step-00000001.pt.tmp",
        "step-00000004.pt",
        "step-1.pt",
    ]
    assert newest_good(tmp_path).path.name == "step-00000004.pt"


def test_what_happens_after_a_save_does_not_change_what_is_written(tmp_path):
    weights, numbers = torch.zeros(4_000_000), [0]
    with CheckpointStore(tmp_path, keep=9) as store:
        for step in range(5):
            weights.fill_(step)
            numbers[0] = step
            store.save({"weights": weights, "numbers": numbers}, step, best=False)
            weights.fill_(-1)
            numbers[0] = -1
    for step in range(5):
        path = tmp_path / f"step-{step:08d}.pt"
        assert value(path) == step
        assert read_checkpoint(path)["state"]["numbers"] == [step]


def test_memory_for_the_copy_is_taken_once(tmp_path):
    with CheckpointStore(tmp_path) as store:
        store.save({"a": torch.ones(5), "b": [torch.ones(2, 2)]}, 1, best=False)
        before = {place: buffer.data_ptr() for place, buffer in store.staging.buffers.items()}
        store.save({"a": torch.zeros(5), "b": [torch.zeros(2, 2)]}, 2, best=False)
        assert {place: buffer.data_ptr() for place, buffer in store.staging.buffers.items()} == before
        store.save({"a": torch.zeros(6), "b": [torch.zeros(2, 2, dtype=torch.int8)]}, 3, best=False)
    assert len(before) == 2
    assert read_checkpoint(tmp_path / "last.pt")["state"]["a"].shape == (6,)


def test_names_that_look_alike_when_joined_do_not_share_memory(tmp_path):
    state = {"a/b": torch.ones(3), "a": {"b": torch.zeros(3)}, "0": torch.full((3,), 2.0), 0: torch.full((3,), 3.0)}
    with CheckpointStore(tmp_path) as store:
        store.save(state, 1, best=False)
    found = read_checkpoint(tmp_path / "last.pt")["state"]
    assert [float(found[key][0]) for key in ("a/b", "0", 0)] == [1, 2, 3]
    assert float(found["a"]["b"][0]) == 0


def test_tied_weights_are_copied_and_written_once(tmp_path):
    tied = torch.randn(10_000)
    with CheckpointStore(tmp_path) as store:
        store.save({"embedding": tied, "head": tied, "row": tied[:5]}, 1, best=False)
    found = read_checkpoint(tmp_path / "last.pt")["state"]
    assert found["embedding"].data_ptr() == found["head"].data_ptr()
    assert torch.equal(found["row"], tied[:5])
    assert (tmp_path / "last.pt").stat().st_size < 50_000


@pytest.mark.filterwarnings("ignore:Sparse")
def test_sparse_tensors_are_kept(tmp_path):
    with CheckpointStore(tmp_path) as store:
        store.save({"adjacency": torch.eye(4).to_sparse()}, 1, best=False)
    assert torch.equal(read_checkpoint(tmp_path / "last.pt")["state"]["adjacency"].to_dense(), torch.eye(4))


def test_the_versions_of_a_models_parts_are_kept(tmp_path):
    model = nn.Sequential(nn.BatchNorm1d(2))
    with CheckpointStore(tmp_path) as store:
        store.save({"model": model.state_dict()}, 1, best=False)
    found = read_checkpoint(tmp_path / "last.pt")["state"]["model"]
    assert found._metadata == model.state_dict()._metadata


def step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    x = torch.linspace(-1, 1, 512).reshape(2, 4, 8, 8)
    model(x.to(memory_format=torch.channels_last)).square().sum().backward()
    optimizer.step()
    optimizer.zero_grad()


def test_the_next_step_is_the_same_after_a_restore_whatever_the_memory_layout(tmp_path):
    model = nn.Conv2d(4, 6, 3).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    step(model, optimizer)
    with CheckpointStore(tmp_path) as store:
        store.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, 1, best=False)
    step(model, optimizer)

    found = read_checkpoint(tmp_path / "last.pt")["state"]
    again = nn.Conv2d(4, 6, 3).to(memory_format=torch.channels_last)
    restored = torch.optim.AdamW(again.parameters(), fused=True)
    again.load_state_dict(found["model"])
    restored.load_state_dict(found["optimizer"])
    step(again, restored)
    assert torch.equal(again.weight, model.weight)


def test_what_a_checkpoint_cannot_hold_is_refused_at_once(tmp_path):
    saved(tmp_path, range(1, 2))
    with CheckpointStore(tmp_path) as store, pytest.raises(StoreError, match=r"state\.rng: received a Generator"):
        store.save({"rng": torch.Generator()}, 2, best=False)
    assert newest_good(tmp_path).content["step"] == 1


def test_a_full_disk_in_the_background_is_raised_by_the_next_save_and_costs_no_old_checkpoint(tmp_path):
    saved(tmp_path, range(1, 3), best=1)
    with CheckpointStore(tmp_path) as store:
        with room_for(3000):
            store.save(content(3), 3, best=True)
            with pytest.raises(StoreError, match=r"step-00000003\.pt: cannot be written \(File too large\); make room"):
                store.save(content(4), 4, best=False)
        assert names(tmp_path) == ["best.pt", "last.pt", "step-00000001.pt", "step-00000002.pt"]
        assert newest_good(tmp_path).content["step"] == 2
        assert value(tmp_path / "best.pt") == 1
        store.save(content(5), 5, best=False)
    assert newest_good(tmp_path).content["step"] == 5


def test_a_full_disk_in_the_background_is_raised_by_waiting(tmp_path):
    with CheckpointStore(tmp_path) as store, room_for(3000):
        store.save(content(1), 1, best=False)
        with pytest.raises(StoreError, match="cannot be written"):
            store.wait()
        store.wait()
    assert names(tmp_path) == []


def test_a_full_disk_in_the_background_is_raised_by_the_next_check(tmp_path):
    with CheckpointStore(tmp_path) as store:
        store.check()
        with room_for(3000):
            store.save(content(1), 1, best=False)
            wait_for([store.pending])
        with pytest.raises(StoreError, match=r"step-00000001\.pt: cannot be written \(File too large\)"):
            store.check()
        store.check()
        store.save(content(2), 2, best=False)
        store.wait()
        store.check()
    assert newest_good(tmp_path).content["step"] == 2


def test_a_check_does_not_wait_for_what_is_still_being_written(tmp_path):
    go_on = threading.Event()
    with CheckpointStore(tmp_path) as store:
        store.worker.submit(go_on.wait)
        store.save(content(1), 1, best=False)
        store.check()
        assert names(tmp_path) == []
        go_on.set()
    assert names(tmp_path) == ["last.pt", "step-00000001.pt"]


def test_a_full_disk_at_the_last_save_is_raised_on_leaving(tmp_path):
    with pytest.raises(StoreError, match="cannot be written"), room_for(3000), CheckpointStore(tmp_path) as store:
        store.save(content(1), 1, best=False)


def test_what_ended_the_run_is_not_hidden_by_a_full_disk(tmp_path):
    def run() -> None:
        with room_for(3000), CheckpointStore(tmp_path) as store:
            store.save(content(1), 1, best=False)
            raise KeyError("the cause")

    with pytest.raises(KeyError, match="the cause") as caught:
        run()
    (note,) = caught.value.__notes__
    assert note.startswith(f"besides, {tmp_path}/step-00000001.pt: cannot be written")


def test_a_file_that_cannot_be_dropped_is_an_error_and_loses_nothing(tmp_path):
    saved(tmp_path, range(1, 3))
    (tmp_path / "best.pt").mkdir()
    with pytest.raises(StoreError, match=r"best\.pt: cannot be written"):
        saved(tmp_path, range(3, 4), best=3)
    assert newest_good(tmp_path).content["step"] == 3


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file/checkpoints: cannot be written"):
        CheckpointStore(tmp_path / "file/checkpoints")


def test_an_interrupt_while_waiting_leaves_the_buffers_to_the_writer(tmp_path):
    def interrupt(number, frame):
        raise KeyboardInterrupt

    go_on = threading.Event()
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with CheckpointStore(tmp_path) as store:
            store.worker.submit(go_on.wait)
            store.save(content(1), 1, best=False)
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            with pytest.raises(KeyboardInterrupt):
                store.save(content(2), 2, best=False)
            go_on.set()
            store.save(content(3), 3, best=False)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert [value(tmp_path / f"step-0000000{step}.pt") for step in (1, 3)] == [1, 3]


def test_the_newest_good_checkpoint_is_found_and_the_damaged_ones_named(tmp_path):
    saved(tmp_path, range(1, 5), best=2, keep=3)
    damage(tmp_path / "step-00000004.pt")
    os.truncate(tmp_path / "step-00000003.pt", 100)
    heard: list[str] = []
    found = newest_good(tmp_path, heard.append)
    assert found.path == tmp_path / "step-00000002.pt"
    assert float(found.content["state"]["weights"][0]) == 2
    assert [("step-00000004.pt: damaged" in found.rejected[0]), ("step-00000003.pt: no digest" in found.rejected[1])]
    assert heard == [f"passed over: {line}" for line in found.rejected]


def test_the_best_is_the_last_resort(tmp_path):
    saved(tmp_path, range(1, 5), best=1)
    for name in ("step-00000003.pt", "step-00000004.pt"):
        damage(tmp_path / name)
    assert newest_good(tmp_path).path == tmp_path / "best.pt"


def test_in_a_copied_run_the_last_is_as_new_as_the_newest_step(tmp_path):
    saved(tmp_path / "a", range(1, 5))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    damage(tmp_path / "b/step-00000004.pt")
    found = newest_good(tmp_path / "b")
    assert (found.path.name, found.content["step"], len(found.rejected)) == ("last.pt", 4, 1)


def test_where_none_is_good_each_is_listed(tmp_path):
    saved(tmp_path, range(1, 3), best=1)
    for name in ("step-00000001.pt", "step-00000002.pt"):
        damage(tmp_path / name)
    heard: list[str] = []
    with pytest.raises(CheckpointError) as caught:
        newest_good(tmp_path, heard.append)
    head, *listed = str(caught.value).split("\n  ")
    assert head == f"{tmp_path}: none of 2 checkpoints is good; bring one back, or train anew"
    assert len(listed) == 2
    assert heard == []
    assert ["step-00000002.pt: damaged" in listed[0], "step-00000001.pt: damaged" in listed[1]] == [True, True]


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_where_there_is_none_that_is_said(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match=f"{name}: there is no checkpoint; .* train anew"):
        newest_good(tmp_path / name)


def test_a_directory_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(CheckpointError, match=r"cannot be read \(File name too long\)"):
        newest_good(tmp_path / ("x" * 300))


def test_a_checkpoint_of_another_kind_is_passed_over(tmp_path):
    saved(tmp_path, range(1, 3))
    save_checkpoint(tmp_path / "step-00000007.pt", nn.Linear(1, 1))
    found = newest_good(tmp_path)
    assert found.content["step"] == 2
    assert "holds no state of a run; what save_checkpoint wrote is read by load_checkpoint" in found.rejected[0]


@pytest.mark.parametrize("change", [{"step": "3"}, {"step": None}, {"state": [1]}])
def test_a_checkpoint_without_a_state_and_a_step_is_passed_over(tmp_path, change):
    saved(tmp_path, range(1, 3))
    write_checkpoint(tmp_path / "step-00000007.pt", {"step": 7, "state": {}, **change})
    found = newest_good(tmp_path)
    assert (found.content["step"], len(found.rejected)) == (2, 1)


def test_saving_a_step_again_replaces_it(tmp_path):
    with CheckpointStore(tmp_path) as store:
        store.save(content(1), 7, best=True)
        store.save(content(2), 7, best=False)
    assert names(tmp_path) == ["best.pt", "last.pt", "step-00000007.pt"]
    assert [value(tmp_path / name) for name in ("best.pt", "last.pt", "step-00000007.pt")] == [1, 2, 2]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_training_on_a_gpu_goes_on_while_its_copy_is_written(tmp_path):
    weights = torch.zeros(4_000_000, device="cuda")
    with CheckpointStore(tmp_path, keep=9) as store:
        for step in range(5):
            weights.fill_(step)
            store.save({"weights": weights}, step, best=False)
            weights.fill_(-1)
        assert all(buffer.is_pinned() for buffer in store.staging.buffers.values())
    assert [value(tmp_path / f"step-{step:08d}.pt") for step in range(5)] == [0, 1, 2, 3, 4]
