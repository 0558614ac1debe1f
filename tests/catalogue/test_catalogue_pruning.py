"""What prune deletes, and what it never touches: a best, the newest good one, links, a run that is being trained."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from loopwright.catalogue.pruning import carry_out, parts_of, plan
from loopwright.cli.main import main
from loopwright.labels import archive
from loopwright.store import CheckpointStore, newest_good, read_saved
from tests.catalogue.making import held_by_another, write_json, write_run


def write_checkpoints(run: Path, steps: int = 6, best: int = 3) -> Path:
    """Checkpoints of the steps 1 to `steps`, all kept, as the store writes them."""
    with CheckpointStore(run / "checkpoints", keep=100) as store:
        for step in range(1, steps + 1):
            progress = {"best_step": min(step, best), "best": 0.9}
            store.save({"progress": progress, "weights": torch.full((100,), step)}, step, best=step == best)
    return run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_checkpoints(write_run(tmp_path / "runs", "toy/001"))


@pytest.fixture
def root(run: Path) -> Path:
    return run.parents[1]


def names(run: Path) -> set[str]:
    return {path.name for path in (run / "checkpoints").iterdir()}


def steps(*numbers: int) -> set[str]:
    return {f"step-{number:08d}.pt" for number in numbers}


ALL = {"best.pt", "last.pt", *steps(1, 2, 3, 4, 5, 6)}


def prune(root: Path, *arguments: str) -> int:
    return main(["prune", "--run-dir", str(root), *arguments])


def test_without_yes_nothing_is_deleted(root: Path, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for flags in ([], ["--dry-run"], ["--yes", "--dry-run"], [str(run)]):
        assert prune(root, *flags) == 0
        assert names(run) == ALL
        told = capsys.readouterr()
        assert [line.split("/")[-1] for line in told.out.splitlines()] == sorted(steps(1, 2, 4, 5), reverse=True)
        assert "4 files, " in told.err
        assert "--yes deletes them" in told.err


def test_the_best_and_the_newest_stay(root: Path, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = (run / "checkpoints" / "best.pt").stat().st_size
    assert prune(root, "--yes", "--json") == 0
    assert f'"bytes": {4 * size}' in capsys.readouterr().out
    assert names(run) == {"best.pt", "last.pt", *steps(3, 6)}
    assert read_saved(run / "checkpoints" / "best.pt")["step"] == 3
    assert newest_good(run / "checkpoints").content["step"] == 6
    assert prune(root, "--yes") == 0
    assert "0 files, 0 B freed" in capsys.readouterr().err


def test_more_are_kept_when_asked_for(root: Path, run: Path) -> None:
    assert prune(root, "--yes", "--keep", "3") == 0
    assert names(run) == {"best.pt", "last.pt", *steps(3, 4, 5, 6)}


def test_a_run_is_named_below_the_root(root: Path, run: Path) -> None:
    other = write_checkpoints(write_run(root, "toy/002"))
    (root / "toy" / "latest").symlink_to("002")
    assert prune(root, "toy/latest", "--yes") == 0
    assert names(run) == ALL
    assert names(other) == {"best.pt", "last.pt", *steps(3, 6)}


def test_the_parts_of_a_study_are_pruned(root: Path) -> None:
    study = write_run(root, "study/001")
    part = write_checkpoints(write_run(study / "members", "toy/001"))
    assert list(parts_of(study)) == [study, part]
    assert prune(root, "study/001", "--yes") == 0
    assert names(part) == {"best.pt", "last.pt", *steps(3, 6)}


def test_the_members_of_a_sweep_are_counted_once(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = write_run(root, "toy-sweep/001")
    part = write_checkpoints(write_run(sweep / "members", "toy/001"))
    assert prune(root) == 0
    assert capsys.readouterr().out.count(f"{part}/checkpoints/step-00000001.pt") == 1


# The best.


def test_a_best_that_has_no_second_name_stays_too(run: Path) -> None:
    shutil.copy(run / "checkpoints" / "best.pt", run / "copy")
    os.replace(run / "copy", run / "checkpoints" / "best.pt")
    carry_out(plan(run))
    assert {"best.pt", *steps(3)} <= names(run)


def test_where_best_pt_is_gone_the_step_that_is_the_best_stays(run: Path) -> None:
    (run / "checkpoints" / "best.pt").unlink()
    carry_out(plan(run))
    assert names(run) == {"last.pt", *steps(3, 6)}


def test_where_no_best_is_to_be_found_nothing_goes(run: Path) -> None:
    for name in ("best.pt", "step-00000003.pt"):
        (run / "checkpoints" / name).unlink()
    made = plan(run)
    assert made.doomed == []
    assert "its best one is not to be found, all are left alone" in made.remarks[0]


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_where_the_best_is_damaged_nothing_goes(run: Path) -> None:
    damage(run / "checkpoints" / "best.pt")
    assert plan(run).doomed == []


def test_the_summary_and_the_newest_may_each_name_a_best(run: Path) -> None:
    write_json(run / "metrics.json", {"status": "finished", "best": {"step": 2}})
    carry_out(plan(run))
    assert names(run) == {"best.pt", "last.pt", *steps(2, 3, 6)}


def test_a_run_that_was_never_evaluated_keeps_its_newest(tmp_path: Path) -> None:
    run = write_checkpoints(write_run(tmp_path, "toy/001", status="failed"), best=0)
    assert names(run) == ALL - {"best.pt"}
    for keep in (0, 1):
        carry_out(plan(run, keep=keep))
        assert names(run) == {"last.pt", *steps(6)}


# The newest good one.


def test_a_damaged_newest_is_left_alone_and_the_good_one_before_it_stays(run: Path) -> None:
    damage(run / "checkpoints" / "step-00000006.pt")
    made = plan(run)
    assert "step-00000006.pt" in made.remarks[0]
    assert "left alone" in made.remarks[0]
    carry_out(made)
    assert names(run) == {"best.pt", "last.pt", *steps(3, 5, 6)}


def test_what_cannot_be_read_is_left_alone(run: Path) -> None:
    (run / "checkpoints" / "step-00000006.pt").unlink()
    (run / "checkpoints" / "step-00000006.pt").mkdir()
    (run / "checkpoints" / "step-00000007.pt").write_bytes(b"")
    carry_out(plan(run))
    assert names(run) == {"best.pt", "last.pt", *steps(3, 5, 6, 7)}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_directory_that_cannot_be_read_is_left_alone(root: Path, run: Path) -> None:
    (run / "checkpoints").chmod(0)
    try:
        assert prune(root, "--yes") == 0
    finally:
        (run / "checkpoints").chmod(0o700)
    assert names(run) == ALL


def test_a_file_in_the_place_of_the_directory_is_left_alone(root: Path, run: Path) -> None:
    shutil.rmtree(run / "checkpoints")
    (run / "checkpoints").write_text("mine")
    assert prune(root, "--yes") == 0
    assert (run / "checkpoints").read_text() == "mine"


def test_other_files_are_no_business_of_prune(run: Path) -> None:
    others = {"mine.pt", "step-1.pt", "step-00000001.pt.bak", "step-00000001.safetensors"}
    for name in others:
        (run / "checkpoints" / name).write_text("mine")
    carry_out(plan(run))
    assert others <= names(run)


# Links.


def test_a_second_name_elsewhere_keeps_the_bytes_and_is_counted_so(run: Path, tmp_path: Path) -> None:
    os.link(run / "checkpoints" / "step-00000001.pt", tmp_path / "backup.pt")
    made = plan(run)
    sizes = {file.name: made.bytes_of(file) for file in made.doomed}
    assert sizes["step-00000001.pt"] == 0
    assert carry_out(made) == sum(sizes.values())
    assert read_saved(tmp_path / "backup.pt")["step"] == 1


def test_a_link_for_a_checkpoint_is_neither_followed_nor_deleted(root: Path, run: Path, tmp_path: Path) -> None:
    path = run / "checkpoints" / "step-00000001.pt"
    os.replace(path, tmp_path / "elsewhere.pt")
    path.symlink_to(tmp_path / "elsewhere.pt")
    assert prune(root, "--yes") == 0
    assert (tmp_path / "elsewhere.pt").is_file()
    assert names(run) == ALL


def link_checkpoints(run: Path, elsewhere: Path) -> None:
    (run / "checkpoints").rename(elsewhere)
    (run / "checkpoints").symlink_to(elsewhere)


def link_run(run: Path, elsewhere: Path) -> None:
    run.rename(elsewhere)
    run.symlink_to(elsewhere)


def link_experiment(run: Path, elsewhere: Path) -> None:
    run.parent.rename(elsewhere)
    run.parent.symlink_to(elsewhere)


def link_members(run: Path, elsewhere: Path) -> None:
    member = run / "members" / "toy"
    member.mkdir(parents=True)
    shutil.copytree(run / "checkpoints", elsewhere / "001" / "checkpoints")
    shutil.rmtree(run / "checkpoints")
    member.rmdir()
    member.symlink_to(elsewhere)


def link_above_a_sweep_member(above: int) -> Callable[[Path, Path], None]:
    """A sweep's member, outside; inside is a link at `above` directories over its run."""

    def link(run: Path, elsewhere: Path) -> None:
        member = run.parent.parent / "toy-sweep" / "001" / "members" / "toy" / "001"
        member.parent.mkdir(parents=True)
        run.rename(member)
        linked = member.parents[above - 1]
        linked.rename(elsewhere)
        linked.symlink_to(elsewhere)

    return link


LINKS = [link_checkpoints, link_run, link_experiment, link_members, *map(link_above_a_sweep_member, (1, 2, 3, 4))]


@pytest.mark.parametrize("link", LINKS)
def test_nothing_outside_the_root_is_deleted(
    root: Path, run: Path, tmp_path: Path, link: Callable[[Path, Path], None]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    link(run, elsewhere)
    before = sorted(path for path in elsewhere.rglob("*") if path.is_file())
    assert len(before) >= 8
    assert prune(root, "--yes") == 0
    assert prune(root, str(run), "--yes") in (0, 2)
    assert sorted(path for path in elsewhere.rglob("*") if path.is_file()) == before


def test_a_run_outside_the_root_is_refused(
    root: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_checkpoints(write_run(tmp_path / "other", "toy/001"))
    assert prune(root, str(other), "--yes") == 2
    assert "does not lie in" in capsys.readouterr().err
    assert names(other) == names(run) == ALL


# A run that is being trained.


def test_a_run_that_is_being_trained_is_refused_by_name_and_passed_over_among_all(
    root: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_checkpoints(write_run(root, "toy/002"))
    with held_by_another(run):
        made = plan(run)
        assert prune(root, str(other), str(run), "--yes") == 2
        assert "is being trained" in capsys.readouterr().err
        assert names(other) == names(run) == ALL
        assert prune(root, "--yes") == 0
        assert f"left alone: {run}: is being trained" in capsys.readouterr().err
        with pytest.raises(Exception, match="is training it"):
            carry_out(made)
    assert names(run) == ALL
    assert names(other) == {"best.pt", "last.pt", *steps(3, 6)}


def test_what_is_gone_meanwhile_is_no_error(run: Path) -> None:
    made = plan(run)
    (run / "checkpoints" / "step-00000004.pt").unlink()
    carry_out(made)
    assert names(run) == {"best.pt", "last.pt", *steps(3, 6)}


def test_what_was_written_again_since_it_was_looked_at_is_left_alone(run: Path) -> None:
    made = plan(run)
    path = run / "checkpoints" / "step-00000004.pt"
    shutil.copy(path, run / "new")
    os.replace(run / "new", path)
    carry_out(made)
    assert names(run) == {"best.pt", "last.pt", *steps(3, 4, 6)}


# Archived runs.


def test_of_an_archived_run_the_best_and_the_record_stay(root: Path, run: Path) -> None:
    other = write_checkpoints(write_run(root, "toy/002"))
    archive(run)
    record = {path for path in run.rglob("*") if path.parent.name != "checkpoints"}
    assert prune(root, "--yes", "--archived") == 0
    assert names(run) == {"best.pt", *steps(3)}
    assert names(other) == {"best.pt", "last.pt", *steps(3, 6)}
    assert record <= set(run.rglob("*"))


def test_without_archived_an_archived_run_is_a_run_like_any_other(root: Path, run: Path) -> None:
    archive(run)
    assert prune(root, "--yes") == 0
    assert names(run) == {"best.pt", "last.pt", *steps(3, 6)}


def test_a_run_whose_best_is_its_newest_keeps_both_names(root: Path) -> None:
    run = write_checkpoints(write_run(root, "toy/002"), best=6)
    archive(run)
    assert prune(root, "--yes", "--archived") == 0
    assert names(run) == {"best.pt", "last.pt", *steps(6, 3)}


def test_less_than_one_cannot_be_kept(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prune(root, "--keep", "0") == 2
    assert "must be at least 1" in capsys.readouterr().err


def test_runs_without_checkpoints_are_passed_over(root: Path, run: Path) -> None:
    shutil.rmtree(run / "checkpoints")
    assert prune(root, "--yes") == 0
