"""docs/guarantees.md: what is promised, said here and nowhere else, and each campaign's section between two markers.

The text is written anew with each section; nothing but the other campaigns' sections is kept.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from guarantees.section import Scale, Section
from loopwright.journal.environment import describe_machine

CAMPAIGNS = (
    "workers",
    "syscalls",
    "powerloss",
    "kills",
    "damage",
    "hostile",
    "audits",
)
"""The modules of this package that have `measure(scale) -> Section`, in the order of the document."""

SKELETON = """\
<!-- begin promises -->
# What is promised, and what came of attacking it

**Promised**, on one machine (one kind of processor or GPU), with one set of library versions and one number of threads:

- Two runs of one experiment have the same weights, optimizer state, history and metrics, bit for bit.
- So have a run that was stopped or killed at any instant, any number of times, and resumed, and one that was left
  alone.
- So have runs on 0, 1 or more loader workers, and on any number of training workers up to `--shards`, changed at any
  step.
- Hooks, journal, checkpoints and evaluations change no bit; an evaluation does not depend on its batch size but by
  rounding.
- What was said to be saved is there after a crash or a power failure, whole. Damage to a checkpoint is noticed, and the
  newest good one is used. At a kill at most what was trained since the newest durable checkpoint is lost: one interval
  between saves, and what is trained while a save is being written in the background. A save waits for the one before
  it, so it is never more than two intervals.
- A file that somebody else has made executes nothing, touches nothing outside of its run, and is refused in one or two
  lines.

**Not promised**:

- The same bits on another model of processor or GPU, with another version of PyTorch or of the libraries below it, or
  with another number of threads, shards or samples in a batch. All of these are in a run's record, and
  `loopwright bisect` names the one that made the difference.
- The same bits from operations that are not deterministic (some CUDA kernels) without `--deterministic`, which refuses
  them by name; and from tasks that draw from the clock, from the process, or from memory of their own.
  `loopwright audit` finds these.
- Detection of damage in `history.jsonl`, `metrics.json` and `env.json`, which carry no digest; and protection against
  somebody who rewrites a checkpoint and its digest on purpose: the digest is against accidents, and the restricted
  reader against code.
- Anything after the machine itself lies: memory or a processor that flips bits, a disk that loses what it has
  confirmed.

Each table below was written by a campaign of [`guarantees/`](../guarantees): `make guarantees` runs them all again,
`make guarantees ARGS="NAME --scale quick"` one of them (quick, full or nightly). It ends with exit code 1 where a
promise was violated, else with 4 where a campaign was skipped because the machine lacks what it needs.
<!-- end promises -->
"""

BLOCK = re.compile(r"<!-- begin (\w+) -->\n.*?<!-- end \1 -->", re.DOTALL)


def stamp(name: str, scale: Scale, seconds: float) -> str:
    """The line that says what a section was made by, when, where and in what time."""
    machine = describe_machine()
    where = f"{machine['cpu']}, {machine['cores']} cores" + (f", {machine['gpu']}" if machine["gpu"] else "")
    versions = f"Python {machine['python']}, torch {machine['torch']}, {platform.system()}"
    command = f"`python -m guarantees {name} --scale {scale}`"
    return f"<sub>{command}: {datetime.now(UTC):%Y-%m-%d}, {seconds:,.0f} s on {where}; {versions}.</sub>"


def put(document: Path, name: str, section: Section, stamped: str, order: Sequence[str] = CAMPAIGNS) -> None:
    """Replace the section of the campaign `name` in `document`, or add it where it stands in `order`."""
    there = blocks(document.read_text(encoding="utf-8")) if document.is_file() else {}
    block = f"<!-- begin {name} -->\n{section.markdown()}\n\n{stamped}\n<!-- end {name} -->"
    document.parent.mkdir(parents=True, exist_ok=True)
    document.write_text(composed({**there, name: block}, order), encoding="utf-8")


def blocks(text: str) -> dict[str, str]:
    """What stands between markers, with them, by name."""
    return {match[1]: match[0] for match in BLOCK.finditer(text)}


def composed(sections: Mapping[str, str], order: Sequence[str] = CAMPAIGNS) -> str:
    """The whole document: the text, and those of the sections that are there."""
    return "\n\n".join([SKELETON.rstrip("\n"), *(sections[name] for name in order if name in sections)]) + "\n"
