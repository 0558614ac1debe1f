from __future__ import annotations

import os

import pytest

from loopwright.reading import open_plain, read_at_most


def test_a_file_is_read_up_to_the_limit_and_refused_beyond(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_at_most(path, 5) == b"12345"
    with pytest.raises(OSError, match="larger than 4 bytes"):
        read_at_most(path, 4)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero"), lambda path: None])
def test_what_is_no_plain_file_is_an_error_and_not_waited_for(tmp_path, make):
    make(tmp_path / "a")
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(OSError, match=r"plain file|directory|No such file"):
        open_plain(tmp_path / "a")
    assert len(os.listdir("/dev/fd")) == before


def test_a_link_is_read_but_not_written_where_that_is_asked(tmp_path):
    (tmp_path / "own").write_text("mine")
    (tmp_path / "link").symlink_to("own")
    assert read_at_most(tmp_path / "link") == b"mine"
    with pytest.raises(OSError, match="symbolic links"):
        open_plain(tmp_path / "link", os.O_WRONLY | os.O_NOFOLLOW, "wb")
    with open_plain(tmp_path / "new", os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, "wb") as file:
        file.write(b"x")
    assert (tmp_path / "new").read_bytes() == b"x"
