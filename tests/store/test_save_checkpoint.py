from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import MultiStepLR

from loopwright.core import build_optimizer
from loopwright.errors import CheckpointError, StoreError
from loopwright.store import CheckpointStore, load_checkpoint, save_checkpoint, write_checkpoint
from tests.store.full_disk import room_for


def build(seed: int = 0, kind: type[Optimizer] = AdamW, **options: float) -> tuple[nn.Module, Optimizer]:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))
    return model, kind(model.parameters(), lr=0.1, **options)


def step(model: nn.Module, optimizer: Optimizer) -> None:
    model(torch.linspace(-1, 1, 24).reshape(6, 4)).square().sum().backward()
    optimizer.step()
    optimizer.zero_grad()


def tensors(model: nn.Module) -> list[Tensor]:
    return [value.clone() for value in model.state_dict().values()]


def equal(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(("kind", "options"), [(AdamW, {}), (AdamW, {"fused": True}), (SGD, {"momentum": 0.9})])
def test_the_next_step_is_the_same_after_a_restore(tmp_path, kind, options):
    model, optimizer = build(0, kind, **options)
    step(model, optimizer)
    save_checkpoint(tmp_path / "a.pt", model, optimizer)
    step(model, optimizer)
    again, restored = build(1, kind, **options)
    load_checkpoint(tmp_path / "a.pt", again, restored)
    step(again, restored)
    assert equal(tensors(again), tensors(model))


def test_the_arguments_may_be_given_in_their_order(tmp_path):
    model, optimizer = build()
    save_checkpoint(tmp_path / "a.pt", model, optimizer, 3, 1200, {"accuracy": 0.98}, 7, {"note": "x", "ids": [1, 2]})
    assert load_checkpoint(tmp_path / "a.pt", model, optimizer) == {
        "epoch": 3,
        "step": 1200,
        "metrics": {"accuracy": 0.98},
        "seed": 7,
        "extra": {"note": "x", "ids": [1, 2]},
    }


def test_a_model_alone_is_enough_and_a_path_may_be_a_text(tmp_path):
    model, optimizer = build()
    path = str(tmp_path / "new/directories/a.pt")
    save_checkpoint(path, model)
    again, _ = build(1)
    assert load_checkpoint(path, again) == {"epoch": 0, "step": 0, "metrics": {}, "seed": 0, "extra": {}}
    assert equal(tensors(again), tensors(model))
    with pytest.raises(CheckpointError, match=r"a\.pt: holds no optimizer; load the model alone"):
        load_checkpoint(path, again, optimizer)


def test_metrics_from_numpy_and_a_schedulers_memory_can_be_kept(tmp_path):
    model, optimizer = build()
    scheduler = MultiStepLR(optimizer, [2, 4, 4])
    save_checkpoint(
        tmp_path / "a.pt", model, metrics={"f1": np.float64(0.5)}, extra={"scheduler": scheduler.state_dict()}
    )
    found = load_checkpoint(tmp_path / "a.pt", model)
    assert found["metrics"] == {"f1": 0.5}
    again = MultiStepLR(optimizer, [1])
    again.load_state_dict(found["extra"]["scheduler"])
    assert again.milestones == scheduler.milestones
    assert type(again.milestones) is type(scheduler.milestones)


def test_an_object_in_extra_is_refused_and_the_old_file_stays(tmp_path):
    model, _ = build()
    save_checkpoint(tmp_path / "a.pt", model, step=1)
    with pytest.raises(StoreError, match=r"extra\.path: received a PosixPath; convert it"):
        save_checkpoint(tmp_path / "a.pt", model, step=2, extra={"path": Path("x")})
    assert load_checkpoint(tmp_path / "a.pt", model)["step"] == 1


def test_a_full_disk_is_an_error_and_the_old_file_stays(tmp_path):
    model, optimizer = build()
    save_checkpoint(tmp_path / "a.pt", model, optimizer, step=1)
    with room_for(2000), pytest.raises(StoreError, match="File too large"):
        save_checkpoint(tmp_path / "a.pt", model, optimizer, step=2)
    assert load_checkpoint(tmp_path / "a.pt", model, optimizer)["step"] == 1


def test_a_checkpoint_of_another_model_lists_what_does_not_fit_and_changes_nothing(tmp_path):
    model, optimizer = build()
    step(model, optimizer)
    save_checkpoint(tmp_path / "a.pt", model, optimizer)
    other = nn.Sequential(nn.Linear(4, 9), nn.Identity(), nn.Identity(), nn.Linear(1, 1))
    fresh = AdamW(other.parameters())
    before = tensors(other)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(tmp_path / "a.pt", other, fresh)
    for line in (
        "missing: 3.weight (1, 1)",
        "unexpected: 2.bias (2,)",
        "shape: 0.bias is (8,) in the checkpoint, (9,) in the model",
    ):
        assert f"\n  {line}" in str(caught.value)
    assert equal(tensors(other), before)
    assert fresh.state_dict()["state"] == {}


def test_another_optimizer_is_an_error_and_changes_nothing(tmp_path):
    model, optimizer = build()
    save_checkpoint(tmp_path / "a.pt", model, optimizer)
    again, _ = build(1)
    before = tensors(again)
    two_groups = SGD([{"params": again[0].parameters()}, {"params": again[1:].parameters()}])
    with pytest.raises(CheckpointError, match=r"a\.pt: does not fit this SGD \(.*groups\); build the one"):
        load_checkpoint(tmp_path / "a.pt", again, two_groups)
    assert equal(tensors(again), before)


@pytest.mark.parametrize("content", [{}, {"model": {}}, {"model": 3, "optimizer": None, "epoch": 0}])
def test_what_save_checkpoint_did_not_write_is_an_error(tmp_path, content):
    write_checkpoint(tmp_path / "a.pt", content)
    with pytest.raises(CheckpointError, match=r"a\.pt: not written by save_checkpoint, it has no "):
        load_checkpoint(tmp_path / "a.pt", nn.Linear(1, 1))


@pytest.mark.parametrize("hostile", [{"model": 3}, {"optimizer": 3}, {"optimizer": {}}, {"optimizer": {"state": 1}}])
def test_a_forged_entry_is_an_error(tmp_path, hostile):
    model, optimizer = build()
    content = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 0, "step": 0}
    write_checkpoint(tmp_path / "a.pt", {**content, "metrics": {}, "seed": 0, "extra": {}, **hostile})
    with pytest.raises(CheckpointError, match=r"a\.pt: "):
        load_checkpoint(tmp_path / "a.pt", model, optimizer)


def test_a_runs_checkpoint_is_told_apart(tmp_path):
    model, _ = build()
    with CheckpointStore(tmp_path) as store:
        store.save({"model": model.state_dict()}, 1, best=False)
    with pytest.raises(CheckpointError, match="a run's checkpoints are read by `loopwright resume`"):
        load_checkpoint(tmp_path / "last.pt", model)


@pytest.mark.parametrize(
    "forge",
    [
        lambda moment: moment.flatten()[:1].clone(),
        lambda moment: torch.tensor(0.0),
        lambda moment: moment.to_sparse(),
        lambda moment: None,
        lambda moment: "x",
    ],
)
@pytest.mark.parametrize("claimed", [True, False])
@pytest.mark.filterwarnings("ignore:Sparse")
def test_moments_that_a_fused_kernel_would_walk_out_of_are_refused(tmp_path, forge, claimed):
    model = nn.Sequential(nn.Linear(4, 8))
    optimizer = build_optimizer(model, lr=0.1)
    step(model, optimizer)
    before = torch.cat([moments["exp_avg"].flatten().clone() for moments in optimizer.state.values()])
    saved = optimizer.state_dict()
    forged = {number: {**moments, "exp_avg": forge(moments["exp_avg"])} for number, moments in saved["state"].items()}
    groups = [{**group, "fused": claimed} for group in saved["param_groups"]]
    numbers = {"epoch": 0, "step": 0, "metrics": {}, "seed": 0, "extra": {}}
    content = {"model": model.state_dict(), "optimizer": {"state": forged, "param_groups": groups}, **numbers}
    write_checkpoint(tmp_path / "a.pt", content)
    with pytest.raises(CheckpointError, match=r"does not fit this FusedAdam \(exp_avg is"):
        load_checkpoint(tmp_path / "a.pt", model, optimizer)
    assert torch.equal(torch.cat([moments["exp_avg"].flatten() for moments in optimizer.state.values()]), before)
    step(model, optimizer)
