"""What a project remembers of how it was made: `.loopwright/origin.json`, and beside it what was written."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from loopwright import __version__
from loopwright.errors import UsageError
from loopwright.reading import read_at_most

HOME = ".loopwright"
FORMAT = 1
MOST_LETTERS = 1000

Files = dict[str, str]
"""Texts by their paths in a project."""


@dataclass(frozen=True)
class Origin:
    """The experiment that a project was made from, a member where it is a study, the project's title, the version."""

    experiment: str
    member: str | None
    title: str
    version: str = __version__

    def text(self) -> str:
        """The content of origin.json."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2) + "\n"


def read_origin(project: Path) -> Origin:
    """How the project in a directory was made. Raises UsageError where that is not known."""
    path = project / HOME / "origin.json"
    try:
        found = json.loads(read_at_most(path))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{project}: not a project that `loopwright new` made, {path} cannot be read; name its directory"
        ) from error
    content = found if isinstance(found, dict) else {}
    if isinstance(content.get("format"), int) and content["format"] > FORMAT:
        raise UsageError(f"{path}: of format {content['format']}, this version reads {FORMAT}; upgrade Loopwright")
    member = content.get("member")
    texts = [content.get(name) for name in ("experiment", "title", "version")] + ([] if member is None else [member])
    if not all(isinstance(text, str) and text.isprintable() and len(text) <= MOST_LETTERS for text in texts):
        raise UsageError(f"{path}: experiment, title and version are expected; bring the file back")
    return Origin(content["experiment"], member, content["title"], content["version"])


def read_pristine(project: Path) -> Files:
    """What was written when the project was made, or brought up to date. Raises UsageError where it is missing."""
    root = project / HOME / "pristine"
    paths = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    if not paths:
        raise UsageError(f"{root}: there is nothing; bring it back, from git say, or make the project anew")
    return {path.relative_to(root).as_posix(): text_at(path) for path in paths}


def read_mine(project: Path, paths: list[str]) -> Files:
    """Those of the files at `paths` that the project has now. UsageError where something else is in a file's place."""
    places = {path: inside(project, path) for path in paths}
    for path, place in places.items():
        if place.is_dir():
            raise UsageError(f"{place}: a directory is in the way of {path}; move it away first")
    return {path: text_at(place) for path, place in places.items() if place.is_file()}


def inside(project: Path, path: str) -> Path:
    """A path of a project; UsageError where a link leads it out of there."""
    place = project / path
    home = os.path.realpath(project)
    if not Path(os.path.realpath(place)).is_relative_to(home):
        raise UsageError(f"{place}: leads out of the project; put the file itself there")
    return place


def free(project: Path, path: str) -> Path:
    """Where a file of a project may be written: a link inside of it followed. UsageError where something is in the way.

    What the project remembers is never behind a link: that is nobody's to move.
    """
    place = inside(project, path)
    above = [project / part for part in Path(path).parents if part.name]
    wrong = next((one for one in above if os.path.lexists(one) and not one.is_dir()), None)
    if wrong is None and os.path.lexists(place) and not place.is_file():
        wrong = place
    if wrong is None and path.startswith(f"{HOME}/"):
        wrong = next((one for one in (place, *above) if one.is_symlink()), None)
    if wrong is not None:
        kind = "a link" if wrong.is_symlink() else "a directory" if wrong.is_dir() else "a file"
        raise UsageError(f"{wrong}: {kind} is in the way of {path}; move it away first")
    return Path(os.path.realpath(place))


def text_at(path: Path) -> str:
    """The text of a file. Raises UsageError where it cannot be read as UTF-8."""
    try:
        return read_at_most(path).decode()
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read as text ({error}); mend that first") from error
