"""Files from the network, once: checked against a digest and kept in a cache."""

from __future__ import annotations

import gzip
import hashlib
import os
import urllib.request
import zlib
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path

from loopwright.errors import DataError
from loopwright.files import write_durably

_GZIP = b"\x1f\x8b"
_PIECE_BYTES = 1 << 16
_PATIENCE_SECONDS = 20.0


def default_cache() -> Path:
    """Where downloads are kept: `$XDG_CACHE_HOME/loopwright`, by default `~/.cache/loopwright`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "loopwright"


def fetch(name: str, urls: Sequence[str], sha256: str, cache_dir: Path) -> Path:
    """Where the file `name` lies in the cache, downloaded from the first of `urls` that works if need be.

    A gzipped download is unpacked; `sha256` is that of the unpacked bytes (the digest of an archive changes
    with the tool that packed it). A cached file with another digest is fetched again. Raises DataError where
    no address gives the right file.
    """
    path = cache_dir / name
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
        return path
    problems: list[str] = []
    content = _first_right(name, urls, sha256, problems)
    if content is None:
        raise DataError(
            f"{name} is not in {cache_dir} and could not be downloaded ({'; '.join(problems)})\n"
            "put it into a directory and name that with --task.data-dir or the variable LOOPWRIGHT_DATA"
        )
    cache_dir.mkdir(parents=True, exist_ok=True)
    write_durably(path, lambda file: file.write(content))
    return path


def _first_right(name: str, urls: Sequence[str], sha256: str, problems: list[str]) -> bytes | None:
    """The unpacked bytes from the first address that has the right ones; what was wrong elsewhere."""
    for url in urls:
        try:
            content = _unpacked(_download(name, url))
        except (OSError, HTTPException, EOFError, zlib.error) as error:
            problems.append(f"{url}: {error}")
            continue
        found = hashlib.sha256(content).hexdigest()
        if found == sha256:
            return content
        problems.append(f"{url}: found sha256 {found}, expected {sha256}")
    return None


def _download(name: str, url: str) -> bytes:
    """The bytes at `url`; after two seconds with a progress bar on stderr."""
    from tqdm import tqdm

    with urllib.request.urlopen(url, timeout=_PATIENCE_SECONDS) as response:
        total = int(response.headers.get("Content-Length") or 0) or None
        with tqdm(desc=name, total=total, unit="B", unit_scale=True, delay=2, mininterval=0.5, leave=False) as progress:
            pieces = []
            while piece := response.read(_PIECE_BYTES):
                pieces.append(piece)
                progress.update(len(piece))
    return b"".join(pieces)


def _unpacked(content: bytes) -> bytes:
    return gzip.decompress(content) if content.startswith(_GZIP) else content
