from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from loopwright.data.download import default_cache, fetch
from loopwright.errors import DataError

CONTENT = b"seven bytes and more"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(tmp_path):
    """A directory whose files are fetched by file: addresses."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "right").write_bytes(CONTENT)
    (tmp_path / "served" / "right.gz").write_bytes(gzip.compress(CONTENT))
    (tmp_path / "served" / "wrong").write_bytes(b"something else")
    (tmp_path / "served" / "torn.gz").write_bytes(gzip.compress(CONTENT)[:-9])
    return (tmp_path / "served").as_uri() + "/"


@pytest.mark.parametrize("served", ["right", "right.gz"])
def test_a_file_is_fetched_unpacked_and_kept(server, tmp_path, served):
    path = fetch("data", [server + served], SHA256, tmp_path / "cache")
    assert path == tmp_path / "cache" / "data"
    assert path.read_bytes() == CONTENT
    assert [entry.name for entry in path.parent.iterdir()] == ["data"]


def test_a_cached_file_needs_no_network(server, tmp_path):
    fetch("data", [server + "right"], SHA256, tmp_path)
    assert fetch("data", [], SHA256, tmp_path).read_bytes() == CONTENT


def test_a_damaged_cached_file_is_fetched_again(server, tmp_path):
    (tmp_path / "data").write_bytes(CONTENT[:-1])
    assert fetch("data", [server + "right"], SHA256, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("bad", ["missing", "wrong", "torn.gz"])
def test_the_next_address_is_tried(server, tmp_path, bad):
    assert fetch("data", [server + bad, server + "right"], SHA256, tmp_path).read_bytes() == CONTENT


def test_a_wrong_file_is_refused_and_not_kept(server, tmp_path):
    with pytest.raises(DataError, match=rf"found sha256 \w+, expected {SHA256}"):
        fetch("data", [server + "wrong"], SHA256, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_offline_the_error_names_the_file_and_both_remedies(tmp_path):
    refused = "http://127.0.0.1:9/data"  # the discard port: nothing listens
    with pytest.raises(DataError) as raised:
        fetch("train-images", [refused], SHA256, tmp_path)
    for word in ("train-images", refused, str(tmp_path), "LOOPWRIGHT_DATA", "--task.data-dir"):
        assert word in str(raised.value)
    assert str(raised.value).count("\n") == 1


def test_a_quick_download_prints_nothing(server, tmp_path, capsys):
    fetch("data", [server + "right"], SHA256, tmp_path)
    assert capsys.readouterr() == ("", "")


def test_the_cache_follows_the_convention(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_cache() == Path("/somewhere/loopwright")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache() == Path.home() / ".cache" / "loopwright"
