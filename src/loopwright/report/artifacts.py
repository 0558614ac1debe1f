"""What a task left in artifacts/: its pictures, as data of the page, and its tables."""

from __future__ import annotations

import base64
import json
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from loopwright.lines import revive
from loopwright.reading import read_at_most
from loopwright.report.grids import Grid, from_file
from loopwright.values import table

_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}
_LARGEST = 8_000_000  # bytes of a picture that is put into the page


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture from artifacts/. `address` is a data URI: a script inside an SVG does not run in an image.

    `wide`: so much wider than high that half the page would be too narrow for it.
    """

    title: str
    source: str
    address: str
    wide: bool


@dataclass(frozen=True, slots=True)
class Section:
    """What belongs together of a task's artifacts, with a title."""

    title: str
    pictures: list[Picture]
    tables: list[Grid]


_SECTIONS = {
    "Where it is right, and where not": ("confusion", "per-class", "by-"),
    "Worst mistakes": ("mistakes",),
    "From the task": ("",),
}
"""Which artifacts stand where, by how their names begin; the first that fits."""


def sections(run: Path, notes: list[str]) -> list[Section]:
    """All of `run`'s artifacts that can be shown, in the order in which they are read; `notes` gets the others."""
    shown, tables = pictures(run, notes), grids(run, notes)
    made = [
        Section(
            title,
            [picture for picture in shown if _place(picture.source) == title],
            [grid for grid in tables if _place(grid.source) == title],
        )
        for title in _SECTIONS
    ]
    return [section for section in made if section.pictures or section.tables]


def _place(source: str) -> str:
    name = source.rpartition("/")[2]
    return next(title for title, beginnings in _SECTIONS.items() if name.startswith(beginnings))


def pictures(run: Path, notes: list[str]) -> list[Picture]:
    """The SVG and PNG files of `run`'s artifacts, by name; `notes` gets those too large for a page."""
    found = []
    for path in _files(run):
        source = f"artifacts/{path.name}"
        if path.suffix not in _TYPES:
            continue
        if path.stat().st_size > _LARGEST:
            notes.append(f"{source} is too large for this page ({path.stat().st_size / 1e6:.1f} MB)")
            continue
        content = path.read_bytes()
        width, height = _size(content)
        address = data_uri(content, _TYPES[path.suffix])
        found.append(Picture(_title(path.stem), source, address, width > 1.8 * height))
    return found


def grids(run: Path, notes: list[str]) -> list[Grid]:
    """The tables among the JSON files of `run`'s artifacts, by name; `notes` gets those that are damaged."""
    found = []
    for path in _files(run):
        if path.suffix != ".json":
            continue
        try:
            grid = from_file(table(revive(json.loads(read_at_most(path)))), path.name)
        except OSError as error:
            notes.append(f"artifacts/{path.name} could not be read: {error.strerror}")
            continue
        except (ValueError, RecursionError):
            notes.append(f"artifacts/{path.name} is damaged: it is not JSON")
            continue
        found += [grid] if grid else []
    return found


def data_uri(content: bytes, mime: str) -> str:
    """`content` as an address that holds it."""
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def _files(run: Path) -> list[Path]:
    """Plain files only: a link could bring a file from elsewhere into a page that is passed on."""
    folder = run / "artifacts"
    return (
        sorted(path for path in folder.iterdir() if path.is_file() and not path.is_symlink()) if folder.is_dir() else []
    )


def _size(content: bytes) -> tuple[float, float]:
    """Width and height of a PNG, or those of an SVG's view box; (1, 1) where it has none."""
    if content.startswith(b"\x89PNG") and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return width, height
    box = re.search(rb"""viewBox=["'][\d.\s+-]*?([\d.]+)[\s,]+([\d.]+)\s*["']""", content[:4000])
    return (float(box[1]), float(box[2])) if box else (1.0, 1.0)


def _title(stem: str) -> str:
    words = stem.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
