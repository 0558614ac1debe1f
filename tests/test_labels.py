"""Tags, notes and the mark of an archived run: plain files that a person may edit, never lost, never through a link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loopwright.errors import StoreError, UsageError
from loopwright.labels import Labels, add_note, add_tags, archive, labels_of, remove_tags


def test_a_run_without_labels_has_none(tmp_path: Path) -> None:
    assert labels_of(tmp_path) == labels_of(tmp_path / "nowhere") == Labels()


def test_notes_are_appended_to_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("by hand, without an end")
    add_note(tmp_path, "  overfits ü\nfrom step 300 ")
    add_note(tmp_path, "again")
    lines = labels_of(tmp_path).notes.split("\n")
    assert lines[0] == "by hand, without an end"
    assert lines[1].endswith(" overfits ü")
    assert lines[2] == "from step 300"
    assert lines[3].endswith(" again")
    assert (tmp_path / "notes.md").read_text().endswith("again\n")


def test_notes_that_are_no_text_are_kept_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_bytes(b"\xff\x00\n")
    add_note(tmp_path, "more")
    assert (tmp_path / "notes.md").read_bytes().startswith(b"\xff\x00\n2")


def test_tags_are_given_once_and_taken_away(tmp_path: Path) -> None:
    add_tags(tmp_path, ["baseline", "good", "good"])
    add_tags(tmp_path, ["good", "best-so-far"])
    assert (tmp_path / "tags").read_text() == "baseline\ngood\nbest-so-far\n"
    remove_tags(tmp_path, ["good"])
    assert labels_of(tmp_path).tags == ("baseline", "best-so-far")


def test_tags_edited_by_hand_are_read(tmp_path: Path) -> None:
    (tmp_path / "tags").write_text("\n  spaced \n\nlast")
    add_tags(tmp_path, ["more"])
    assert labels_of(tmp_path).tags == ("spaced", "last", "more")


@pytest.mark.parametrize("name", ["", "two words", "a,b", "x" * 61, "\x1b[2J", "line\nend"])
def test_what_is_no_word_is_no_tag(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="must be a word"):
        add_tags(tmp_path, ["fine", name])
    assert list(tmp_path.iterdir()) == []


def test_a_tag_that_is_not_there_cannot_be_taken_away(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no such tag, it has none"):
        remove_tags(tmp_path, ["good"])
    add_tags(tmp_path, ["bad"])
    with pytest.raises(UsageError, match="has no such tag, it has bad"):
        remove_tags(tmp_path, ["bad", "good"])
    assert labels_of(tmp_path).tags == ("bad",)


def test_archiving_is_a_mark_that_can_be_taken_away(tmp_path: Path) -> None:
    archive(tmp_path)
    written = (tmp_path / "archived").read_bytes()
    archive(tmp_path)
    assert labels_of(tmp_path).archived
    assert (tmp_path / "archived").read_bytes() == written
    archive(tmp_path, undo=True)
    archive(tmp_path, undo=True)
    assert not labels_of(tmp_path).archived


def test_nothing_is_read_or_written_through_a_link(tmp_path: Path) -> None:
    run, secret = tmp_path / "run", tmp_path / "secret"
    run.mkdir()
    secret.write_text("secret")
    for name in ("notes.md", "tags"):
        (run / name).symlink_to(secret)
    assert labels_of(run) == Labels()
    with pytest.raises(StoreError, match=r"notes\.md: cannot be written"):
        add_note(run, "x")
    with pytest.raises(StoreError, match="tags: cannot be written"):
        add_tags(run, ["x"])
    assert secret.read_text() == "secret"


def test_what_would_be_waited_for_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "notes.md")
    (tmp_path / "tags").mkdir()
    assert labels_of(tmp_path) == Labels()
    with pytest.raises(StoreError):
        add_tags(tmp_path, ["x"])
