"""`loopwright new --diff`: what I changed, what Loopwright changed, and both together."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from loopwright.cli.main import main
from loopwright.errors import StoreError, UsageError
from loopwright.scaffold import Change, compare_project, named, read_origin, render, updating
from loopwright.scaffold.updating import outcome, three_way
from tests.scaffold.projects import make, refused


@pytest.fixture
def project(tmp_path) -> Path:
    return make(tmp_path / "mine", "line")


def edit(project: Path, path: str, before: str, after: str) -> None:
    text = (project / path).read_text()
    assert before in text
    (project / path).write_text(text.replace(before, after))


def written_by_an_older_version(project: Path, path: str, before: str, after: str) -> None:
    """As if the version that made the project had written `after` where this one writes `before`."""
    for place in (project / ".loopwright/pristine", project):
        edit(place, path, before, after)
    edit(project, ".loopwright/origin.json", '"version": "0.1.0"', '"version": "0.0.9"')


def test_nothing_has_changed_in_a_new_project(project, capsys):
    assert main(["new", "--diff", str(project)]) == 0
    assert "nothing has changed" in capsys.readouterr().out


def test_both_sides_changes_are_shown_apart(project, capsys):
    written_by_an_older_version(project, "order.py", "AUGMENT, EVALUATE, SPLIT", "AUGMENT, EVAL, SPLIT")
    edit(project, "train.py", "loss.backward()", "loss.backward()  # mine")
    (project / "fill.py").unlink()
    assert main(["new", "--diff", str(project)]) == 0
    said = capsys.readouterr().out
    mine, theirs = said.split("What Loopwright changed")
    assert "+        loss.backward()  # mine" in mine
    assert "EVAL, SPLIT" not in mine
    assert "+INIT, SHUFFLE, STEP, AUGMENT, EVALUATE, SPLIT" in theirs
    assert "version 0.0.9" in theirs
    assert main(["new", "--diff", str(project), "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert files["train.py"] == {"yours": "changed", "loopwright": ""}
    assert files["order.py"] == {"yours": "", "loopwright": "changed"}
    assert files["fill.py"] == {"yours": "removed", "loopwright": ""}


def test_a_merge_keeps_mine_and_brings_theirs(project, capsys):
    written_by_an_older_version(project, "train.py", "optimizer.zero_grad()", "optimizer.zero_grad(set_to_none=True)")
    edit(project, "train.py", "loss.backward()", "loss.backward()  # mine")
    edit(project, "report.md", "(your answer)", "to learn")
    before = (project / "train.py").read_text()
    (project / "train.py").chmod(0o755)
    assert main(["new", "--diff", str(project), "--merge"]) == 0
    assert (project / "train.py").stat().st_mode & 0o777 == 0o755
    text = (project / "train.py").read_text()
    assert "loss.backward()  # mine" in text
    assert "optimizer.zero_grad()\n" in text
    assert "to learn" in (project / "report.md").read_text()
    assert (project / ".loopwright/backup/001/train.py").read_text() == before
    assert read_origin(project).version == "0.1.0"
    capsys.readouterr()
    assert main(["new", "--diff", str(project), "--merge"]) == 0
    assert "nothing to merge" in capsys.readouterr().out
    assert (project / "train.py").read_text() == text


def test_conflicts_stay_marked_with_exit_code_1_and_are_settled_before_the_next_merge(project, capsys):
    written_by_an_older_version(project, "train.py", "loss.backward()", "loss.sum().backward()")
    edit(project, "train.py", "loss.sum().backward()", "(2 * loss).backward()")
    mine = (project / "train.py").read_text()
    assert main(["new", "--diff", str(project), "--merge"]) == 1
    assert "conflict" in capsys.readouterr().out
    text = (project / "train.py").read_text()
    assert "<<<<<<< yours\n        (2 * loss).backward()\n=======\n        loss.backward()\n>>>>>>> loopwright" in text
    assert (project / ".loopwright/backup/001/train.py").read_text() == mine
    assert "settle them first" in refused(capsys, "new", "--diff", str(project), "--merge")


def test_what_is_filled_in_from_runs_is_no_change_and_stays(project, capsys):
    edit(project, "experiments.md", "No runs yet: `make run-all`.", "| a table |")
    assert main(["new", "--diff", str(project)]) == 0
    assert "nothing has changed" in capsys.readouterr().out
    edit(project, ".loopwright/pristine/experiments.md", "No runs yet: `make run-all`.", "Nothing has run.")
    edit(project, ".loopwright/pristine/experiments.md", "One change at a time", "One thing at a time")
    edit(project, "experiments.md", "One change at a time", "One thing at a time")
    assert main(["new", "--diff", str(project), "--merge"]) == 0
    merged = (project / "experiments.md").read_text()
    assert "| a table |" in merged
    assert "One change at a time" in merged
    assert "No runs yet" in (project / ".loopwright/pristine/experiments.md").read_text()


def test_files_that_came_and_went_upstream(project, capsys):
    gone, come = "notes/old.md", "fill.py"
    for place in (project / ".loopwright/pristine", project):
        (place / gone).write_text("no longer written\n")
        (place / come).unlink()
    assert main(["new", "--diff", str(project), "--merge"]) == 0
    assert not (project / gone).exists()
    assert (project / come).is_file()
    assert (project / ".loopwright/backup/001" / gone).is_file()
    assert not (project / ".loopwright/pristine" / gone).exists()


def test_what_i_have_changed_or_removed_is_never_taken_away():
    assert Change("a", "old\n", "mine\n", None).step == "keep"
    assert Change("a", "old\n", None, "new\n").step == "keep"
    assert Change("a", "old\n", "new\n", "new\n").step == "nothing"
    assert Change("a", None, None, "new\n").step == "take"
    texts, conflict = outcome(Change("a", None, "mine\n", "theirs\n"))
    assert conflict
    assert "mine\n" in texts["a"]
    assert "theirs\n" in texts["a"]


def test_without_git_there_is_no_merged_text():
    assert three_way("a\n", "b\n", "c\n", git=None) is None
    assert three_way("a\nb\nc\nmine\n", "a\nb\nc\n", "new\na\nb\nc\n") == "new\na\nb\nc\nmine\n"


def test_what_is_no_project_is_refused(tmp_path, project, capsys):
    assert "not a project" in refused(capsys, "new", "--diff", str(tmp_path / "nowhere"))
    (project / ".loopwright/origin.json").write_text('{"format": 99}')
    assert "upgrade" in refused(capsys, "new", "--diff", str(project))
    (project / ".loopwright/origin.json").write_text("[" * 10_000)
    assert "not a project" in refused(capsys, "new", "--diff", str(project))
    (project / ".loopwright/origin.json").write_text('{"experiment": 3}')
    assert "expected" in refused(capsys, "new", "--diff", str(project))


def test_a_merge_never_writes_through_a_link_out_of_the_project(project, tmp_path, capsys):
    written_by_an_older_version(project, "notes/theory-summary.md", "In your own words", "In words")
    outside = tmp_path / "elsewhere"
    (project / "notes").rename(outside)
    (project / "notes").symlink_to(outside)
    kept = (outside / "theory-summary.md").read_text()
    assert "leads out of the project" in refused(capsys, "new", "--diff", str(project), "--merge")
    assert (outside / "theory-summary.md").read_text() == kept


def test_a_file_that_is_no_text_is_named(project):
    (project / "report.md").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"report\.md"):
        compare_project(project, render(named("line"), "mine"))


def test_a_link_inside_of_the_project_stays_one_and_what_it_names_is_merged(project, capsys):
    written_by_an_older_version(project, "train.py", "optimizer.zero_grad()", "optimizer.zero_grad(set_to_none=True)")
    (project / "loops").mkdir()
    (project / "train.py").rename(project / "loops/mine.py")
    (project / "train.py").symlink_to("loops/mine.py")
    assert main(["new", "--diff", str(project), "--merge"]) == 0
    assert (project / "train.py").is_symlink()
    assert "optimizer.zero_grad()\n" in (project / "loops/mine.py").read_text()


@pytest.mark.parametrize("kind", ["link", "directory", "file above"])
def test_what_is_in_the_way_is_named_before_anything_is_written(project, capsys, kind):
    written_by_an_older_version(project, "train.py", "optimizer.zero_grad()", "optimizer.zero_grad(set_to_none=True)")
    for place in (project, project / ".loopwright/pristine"):
        shutil.rmtree(place / "notes")  # as if this version were the first to have notes
    if kind == "link":
        (project / "notes").mkdir()
        (project / "notes/theory-summary.md").symlink_to("nowhere")
    elif kind == "directory":
        (project / "notes/theory-summary.md").mkdir(parents=True)
    else:
        (project / "notes").write_text("mine\n")
    before = kept(project)
    assert "in the way of notes/" in refused(capsys, "new", "--diff", str(project), "--merge")
    assert kept(project) == before


@pytest.mark.parametrize("name", ["backup", "pristine"])
def test_what_a_project_remembers_is_never_behind_a_link(project, capsys, name):
    written_by_an_older_version(project, "train.py", "optimizer.zero_grad()", "optimizer.zero_grad(set_to_none=True)")
    home = project / ".loopwright"
    if name == "pristine":
        (home / "pristine").rename(project / "elsewhere")
    (project / "elsewhere").mkdir(exist_ok=True)
    (home / name).symlink_to(project / "elsewhere")
    before = kept(project)
    assert refused(capsys, "new", "--diff", str(project), "--merge")
    assert kept(project) == before


def kept(project: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}


def test_lines_that_end_as_on_windows_are_merged_and_stay_so(project, capsys):
    written_by_an_older_version(project, "train.py", "optimizer.zero_grad()", "optimizer.zero_grad(set_to_none=True)")
    path = project / "train.py"
    edit(project, "train.py", "loss.backward()", "loss.backward()  # mine")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert main(["new", "--diff", str(project), "--merge"]) == 0
    content = path.read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n") > 50
    assert b"loss.backward()  # mine\r\n" in content
    assert b"optimizer.zero_grad()\r\n" in content


def test_what_git_takes_for_no_text_is_laid_beside(project, capsys):
    written_by_an_older_version(project, "train.py", "optimizer.zero_grad()", "optimizer.zero_grad(set_to_none=True)")
    with (project / "train.py").open("ab") as file:
        file.write(b"# \0\n")
    assert main(["new", "--diff", str(project), "--merge"]) == 1
    assert "git is missing or takes it for no text" in capsys.readouterr().out
    assert "optimizer.zero_grad()\n" in (project / "train.py.new").read_text()


def test_a_merge_that_fails_says_where_the_files_are_as_they_were(project, capsys, monkeypatch):
    written_by_an_older_version(project, "train.py", "optimizer.zero_grad()", "optimizer.zero_grad(set_to_none=True)")

    def full(place, text):
        raise StoreError(f"{place}: cannot be written (No space left on device); make room there")

    def write(place, text, real=updating.write):
        (real if "backup" in place.parts else full)(place, text)

    monkeypatch.setattr(updating, "write", write)
    assert main(["new", "--diff", str(project), "--merge"]) == 3
    assert f"as they were: {project}/.loopwright/backup/001" in capsys.readouterr().err


def test_a_directory_in_the_place_of_a_file_is_named(project, capsys):
    (project / "order.py").unlink()
    (project / "order.py").mkdir()
    assert f"{project / 'order.py'}: a directory is in the way of order.py" in refused(
        capsys, "new", "--diff", str(project)
    )
