"""`loopwright new DIR`: a project of one's own; and later, what has changed in it, on both sides."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from loopwright.cli.parsing import Parser, parser
from loopwright.cli.tables import table
from loopwright.errors import UsageError, printable
from loopwright.scaffold import (
    Change,
    Merged,
    Origin,
    compare_project,
    make_project,
    merge_project,
    named,
    obstacle_of,
    read_origin,
    render,
)

FAVORITE = "points"
MARKED = "conflict: settle what stands between <<<<<<< and >>>>>>>"
BESIDE = "conflict: git is missing or takes it for no text; bring this over into yours, then remove it"
ABOUT = """\
Make a project whose train.py is the explicit loop, yours to change: model, data, tests, notes, Makefile, CI.

  loopwright new mine
  loopwright new mine --from digits-cnn
  loopwright new mine --from path/to/file.py:function
  loopwright new --diff mine            what you changed, what changed in Loopwright's version since
  loopwright new --diff mine --merge    both together; what is in conflict stays marked, exit code 1

--from takes any name of `loopwright list`; of a study, its first member or --member.
"""


def run(arguments: list[str]) -> int:
    """Make a project, or show or merge the changes of one."""
    options = described()
    parsed = options.parse_all(arguments)
    if parsed.directory and parsed.diff:
        raise UsageError(f"new: received {parsed.directory} and --diff {parsed.diff}; name one of them")
    if parsed.diff:
        return changes(parsed.diff, parsed.source, merge=parsed.merge, as_json=parsed.json)
    if parsed.merge or parsed.json:
        flag = "--merge" if parsed.merge else "--json"
        raise UsageError(f"new: {flag} goes with --diff: loopwright new --diff {parsed.directory or 'DIR'} {flag}")
    if not parsed.directory:
        raise UsageError("new: which directory? `loopwright new DIR` makes one, --diff DIR shows what changed in one")
    return make(parsed.directory, parsed.source or FAVORITE, parsed.member)


def described() -> Parser:
    """The command line."""
    options = parser("new", ABOUT, usage="loopwright new DIR [--from NAME [--member NAME]] | --diff DIR [--merge]")
    options.add_argument("directory", type=Path, nargs="?", metavar="DIR", help="a new or an empty directory")
    options.add_argument("--from", dest="source", metavar="NAME", help=f"the experiment it is made from ({FAVORITE})")
    options.add_argument("--member", metavar="NAME", help="of a study, the member")
    options.add_argument("--diff", type=Path, metavar="DIR", help="a project: what changed, on both sides")
    options.add_argument("--merge", action="store_true", help="with --diff: bring Loopwright's changes in")
    options.add_argument("--json", action="store_true", help="with --diff: the files and what became of them, as JSON")
    return options


def make(directory: Path, reference: str, member: str | None) -> int:
    """Make a project; its directory on stdout."""
    source, title = named(reference, member), title_of(directory)
    make_project(directory, render(source, title), Origin(reference, member, title))
    missing = obstacle_of(source)
    flavours = f"no train.py: {missing}; the loop is in train_loopwright.py" if missing else "the loop is in train.py"
    if source.study:
        flavours += f"; of the study {source.study} this is the member {source.experiment.name}"
    print(f"made from {reference}: {flavours}", file=sys.stderr)
    place = printable(str(directory), 4000)
    print(f"next   cd {shlex.quote(place)} && make train && make test", file=sys.stderr)
    print(place)
    return 0


def title_of(directory: Path) -> str:
    """The directory's name as a title: printable, without what Markdown would take for markup."""
    name = printable(directory.resolve().name, 100)
    return "".join(letter if letter.isalnum() or letter in "._- " else "-" for letter in name) or "project"


def changes(project: Path, reference: str | None, *, merge: bool, as_json: bool) -> int:
    """Show what was changed on both sides, or merge it."""
    origin = read_origin(project)
    if ":" in origin.experiment and reference is None:
        raise UsageError(
            f"{project}: made from {origin.experiment}, which this record may not choose; "
            f"name it again: --from {origin.experiment}"
        )
    source = named(reference or origin.experiment, origin.member)
    upstream = render(source, origin.title)
    if merge:
        return told(merge_project(project, upstream, origin), as_json=as_json)
    show(compare_project(project, upstream), origin, as_json=as_json)
    return 0


def show(found: list[Change], origin: Origin, *, as_json: bool) -> None:
    """Which files differ, and how."""
    changed = [change for change in found if change.by_me or change.by_upstream]
    if as_json:
        files = {change.path: {"yours": change.by_me, "loopwright": change.by_upstream} for change in changed}
        print(json.dumps({"experiment": origin.experiment, "written_by": origin.version, "files": files}, indent=2))
        return
    if not changed:
        print(f"nothing has changed since Loopwright {origin.version} wrote it, on either side")
        return
    print(table([("file", "yours", "loopwright"), *((one.path, one.by_me, one.by_upstream) for one in changed)]))
    for title, sides in (("What you changed", "mine"), ("What Loopwright changed", "upstream")):
        diffs = [change.diff("mine" if sides == "mine" else "upstream") for change in changed]
        if any(diffs):
            print(f"\n{title}, since version {origin.version} wrote it:\n")
            print(printable("".join(diffs), 10_000_000), end="")


def told(merged: Merged, *, as_json: bool) -> int:
    """Say what a merge did; 1 where conflicts are left."""
    if as_json:
        backup = str(merged.backup) if merged.backup else None
        print(json.dumps({"files": merged.done, "conflicts": merged.conflicts, "backup": backup}, indent=2))
        return 1 if merged.conflicts else 0
    words = {"take": "taken over", "remove": "removed", "merge": "merged", "keep": "left as you have it"}
    rows = [(path, words[step]) for path, step in merged.done.items() if path not in merged.conflicts]
    rows += [(path, MARKED if path in merged.done else BESIDE) for path in merged.conflicts]
    print(table(rows) if rows else "nothing to merge")
    if merged.backup:
        print(f"as they were: {merged.backup}", file=sys.stderr)
    return 1 if merged.conflicts else 0
