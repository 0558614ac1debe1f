from __future__ import annotations

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loopwright.errors import RunError, StoreError
from loopwright.files import link_durably, make_directory, reading, sync_directory, write_durably, write_text
from tests.store.full_disk import room_for


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def temporary(path: Path) -> Path:
    """The name that this thread writes under before it renames."""
    return path.with_name(f".{path.name}.{threading.get_native_id()}.tmp")


def refuse(*arguments: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


def test_a_file_is_written_and_nothing_is_left_beside_it(tmp_path):
    write_text(tmp_path / "a", "x = 'é'\n")
    write_text(tmp_path / "a", "later\n")
    assert (tmp_path / "a").read_bytes() == b"later\n"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, RuntimeError])
def test_whatever_is_raised_while_writing_leaves_the_old_file_alone(tmp_path, kind):
    def write(file):
        file.write(b"half")
        raise kind

    write_text(tmp_path / "a", "old")
    with pytest.raises(kind):
        write_durably(tmp_path / "a", write)
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_a_full_disk_is_an_error_that_names_file_reason_and_remedy(tmp_path):
    write_text(tmp_path / "a", "old")
    with room_for(1000), pytest.raises(StoreError, match=r"/a: cannot be written \(File too large\); make room"):
        write_text(tmp_path / "a", "x" * 1001)
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "make room there"),
        (errno.EROFS, "allow writing there"),
        (errno.EACCES, "allow writing there"),
        (errno.ENOENT, "mend that"),
    ],
)
def test_the_remedy_fits_the_reason(tmp_path, number, said):
    def write(file):
        raise OSError(number, "no")

    with pytest.raises(StoreError, match=rf"\(no\); {said}, or choose another place$"):
        write_durably(tmp_path / "a", write)


def test_an_error_without_a_number_keeps_its_words(tmp_path):
    def write(file):
        raise OSError("the cable is out")

    with pytest.raises(StoreError, match="the cable is out"):
        write_durably(tmp_path / "a", write)


@pytest.mark.parametrize("name", ["missing/a", "file/a", "directory", "x" * 300])
def test_a_place_where_no_file_can_be_is_an_error(tmp_path, name):
    (tmp_path / "file").write_text("")
    (tmp_path / "directory").mkdir()
    with pytest.raises(StoreError):
        write_text(tmp_path / name, "x")
    assert names(tmp_path) == ["directory", "file"]


def test_threads_that_write_one_file_leave_one_of_their_texts(tmp_path):
    texts = [str(number) * 10_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: write_text(tmp_path / "a", text), texts * 5))
    assert (tmp_path / "a").read_text() in texts
    assert names(tmp_path) == ["a"]


def test_what_a_killed_process_left_is_never_written_through(tmp_path):
    write_text(tmp_path / "good", "good")
    os.link(tmp_path / "good", temporary(tmp_path / "a"))
    write_text(tmp_path / "a", "x")
    os.link(tmp_path / "good", temporary(tmp_path / "b"))
    link_durably(tmp_path / "a", tmp_path / "b", link=refuse)
    assert [(tmp_path / name).read_text() for name in ("good", "a", "b")] == ["good", "x", "x"]


def test_a_link_is_the_same_file_and_can_be_made_again(tmp_path):
    write_text(tmp_path / "a", "x")
    for _ in range(2):
        link_durably(tmp_path / "a", tmp_path / "b")
        assert (tmp_path / "a").samefile(tmp_path / "b")
    assert names(tmp_path) == ["a", "b"]


def test_without_hard_links_there_is_a_copy(tmp_path):
    write_text(tmp_path / "a", "x")
    write_text(tmp_path / "b", "old")
    link_durably(tmp_path / "a", tmp_path / "b", link=refuse)
    assert (tmp_path / "b").read_text() == "x"
    assert not (tmp_path / "a").samefile(tmp_path / "b")
    assert names(tmp_path) == ["a", "b"]


def test_a_link_that_cannot_be_made_or_copied_leaves_the_old_file(tmp_path):
    write_text(tmp_path / "a", "x" * 2000)
    write_text(tmp_path / "b", "old")
    with room_for(1000), pytest.raises(StoreError, match="/b: cannot be written"):
        link_durably(tmp_path / "a", tmp_path / "b", link=refuse)
    with pytest.raises(StoreError, match="/b: cannot be written"):
        link_durably(tmp_path / "missing", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "old"
    assert names(tmp_path) == ["a", "b"]


def test_directories_are_made_with_all_above_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_directory(Path("a/b/c"))
    make_directory(Path("a/b/c"))
    assert (tmp_path / "a/b/c").is_dir()


@pytest.mark.parametrize("name", ["file", "file/a", "x" * 300])
def test_a_directory_that_cannot_be_made_is_an_error(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        make_directory(tmp_path / name)


def test_a_file_system_that_cannot_sync_directories_is_put_up_with(tmp_path):
    def answer(number):
        def fsync(descriptor):
            raise OSError(number, os.strerror(number))

        return fsync

    sync_directory(tmp_path, fsync=answer(errno.EINVAL))
    with pytest.raises(OSError, match="Input/output"):
        sync_directory(tmp_path, fsync=answer(errno.EIO))


def test_what_cannot_be_read_is_an_error_that_names_it_with_its_reason(tmp_path):
    with (
        pytest.raises(RunError, match=r"/here: cannot be read \(Is a directory\); mend that"),
        reading(tmp_path / "here"),
    ):
        tmp_path.read_bytes()
