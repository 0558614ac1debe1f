"""Damage to the files of a run: flipped bits, zeroed, doubled and lost blocks. It is noticed, or the content is right.

The same damage is done to the same tensors in files of torch.save and safetensors, for comparison.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save_file

from guarantees.equal import bits
from guarantees.section import Scale, Section
from guarantees.small import unfinished_run
from loopwright.core import Experiment
from loopwright.errors import LoopwrightError
from loopwright.lines import read_history
from loopwright.running.config import load_config
from loopwright.running.runner import check_unchanged
from loopwright.store import newest_good, read_checkpoint
from loopwright.values import read_json

Damage = Callable[[random.Random, bytes], bytes]


def flip(draw: random.Random, data: bytes) -> bytes:
    """One bit."""
    place, bit = draw.randrange(len(data)), 1 << draw.randrange(8)
    return data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]


def block(draw: random.Random, data: bytes) -> tuple[int, int]:
    """The bounds of a block of a size that disks have, aligned as on a disk; smaller in small files."""
    size = min(draw.choice((512, 4096)), max(1, len(data) // 4))
    start = draw.randrange(0, len(data), size)
    return start, min(start + size, len(data))


def zero(draw: random.Random, data: bytes) -> bytes:
    """A block that came back as zeros."""
    start, end = block(draw, data)
    return data[:start] + bytes(end - start) + data[end:]


def double(draw: random.Random, data: bytes) -> bytes:
    """A block that was written twice, the second time over its neighbor or as one block too many."""
    start, end = block(draw, data)
    return data[:end] + data[start:end] + data[draw.choice((end, end + end - start)) :]


def truncate(draw: random.Random, data: bytes) -> bytes:
    """A file that was cut short."""
    return data[: draw.randrange(len(data))]


DAMAGES: dict[str, Damage] = {
    "one bit flipped": flip,
    "a block zeroed": zero,
    "a block doubled": double,
    "cut short": truncate,
}


@dataclass(frozen=True)
class Reader:
    """One way to read one file of a run: what comes back, to be compared with what came back before the damage.

    `complaints` are the errors that are an answer. `exact`: what has been damaged may never be read as something else.
    It is tried one time in `share`.
    """

    name: str
    path: Path
    read: Callable[[], object]
    complaints: tuple[type[Exception], ...]
    share: int = 1
    exact: bool = True


def tried(reader: Reader, right: object, draw: random.Random, damage: Damage, whole: bytes) -> str:
    """`noticed`, `harmless` where the right content came back, `wrong` or `foreign` where a promise is broken."""
    spoiled = damage(draw, whole)
    if spoiled == whole:
        return "unchanged"
    # In place and without a new file: an inode of its own for each would cost more than the reading.
    write_over(reader.path, spoiled)
    try:
        found = bits(reader.read())
    except reader.complaints:
        return "noticed"
    except Exception as error:
        return f"foreign: {type(error).__name__}: {error}"
    finally:
        write_over(reader.path, whole)
    return "harmless" if found == right else "wrong"


def write_over(path: Path, data: bytes) -> None:
    """Replace the bytes of the file at `path`."""
    with open(path, "r+b", buffering=0) as file:
        file.write(data)
        file.truncate(len(data))


def campaign(reader: Reader, damage: str, count: int) -> tuple[dict[str, int], list[str]]:
    """Damage a file `count` times, each time anew; how often what came of it, and what broke a promise."""
    draw = random.Random(f"{reader.name}/{damage}")
    whole, right = reader.path.read_bytes(), bits(reader.read())
    counted: dict[str, int] = {"noticed": 0, "harmless": 0, "wrong": 0, "foreign": 0}
    broken: list[str] = []
    while sum(counted.values()) < count:
        found = tried(reader, right, draw, DAMAGES[damage], whole)
        if found == "unchanged":
            continue
        counted[found.partition(":")[0]] += 1
        if found.startswith("foreign") or (found == "wrong" and reader.exact):
            broken.append(f"{reader.name}, {damage}, no. {sum(counted.values())}: {found[:200]}")
    return counted, broken


def falling_back(run: Path) -> Callable[[], object]:
    """`newest_good` with the newest checkpoint damaged: the older one, and the damaged file named."""
    directory = run / "checkpoints"
    older = bits(read_checkpoint(directory / "step-00000005.pt"))
    newer = bits(read_checkpoint(directory / "step-00000010.pt"))

    def read() -> object:
        found = newest_good(directory)
        content = bits(found.content)
        named = any("step-00000010.pt" in line for line in found.rejected)
        if (content == newer and not found.rejected) or (content == older and named):
            return "a good generation, what is damaged is named"
        return f"{found.path.name}, passed over: {found.rejected}"

    return read


def recorded_experiment(run: Path) -> Experiment:
    """What a resume makes of config.toml and env.json."""
    experiment = load_config(run / "config.toml").resolved().check()
    check_unchanged(run, experiment)
    return experiment


def digested(run: Path) -> Iterator[Reader]:
    """What has a digest: it comes back as it was, or there is an error."""
    newest = run / "checkpoints/step-00000010.pt"
    yield Reader("checkpoint, read_checkpoint", newest, lambda: read_checkpoint(newest), (LoopwrightError,))
    yield Reader("checkpoint, newest_good", newest, falling_back(run), (LoopwrightError,))
    yield Reader("config.toml, resume", run / "config.toml", lambda: recorded_experiment(run), (LoopwrightError,), 10)


def texts(run: Path) -> Iterator[Reader]:
    """Records without a digest: a digit that becomes another digit is another number; nothing may break."""
    for name in ("metrics.json", "env.json"):
        yield Reader(name, run / name, partial(told, run / name), (LeftOutError,), 10, exact=False)
    history = run / "logs/history.jsonl"
    yield Reader("history.jsonl", history, lines_left(history), (LeftOutError,), 10, exact=False)


class LeftOutError(Exception):
    """A record, or a line of it, was left out, since it was no JSON any more."""


def told(path: Path) -> object:
    """The content of a JSON file."""
    content = read_json(path)
    if not content:
        raise LeftOutError
    return content


def lines_left(path: Path) -> Callable[[], object]:
    """The lines of a history; where some are missing and the rest is right, that is told."""
    written = [json.dumps(record) for record in read_history(path)]

    def read() -> object:
        found = [json.dumps(record) for record in read_history(path)]
        if len(found) < len(written) and set(found) <= set(written):
            raise LeftOutError
        return found

    return read


def others(directory: Path, content: Mapping[str, Any]) -> Iterator[Reader]:
    """Others' files of the same weights; whatever they raise counts as noticed."""
    tensors = {name: value.clone() for name, value in content["state"]["model"].items()}
    plain = directory / "plain.pt"
    torch.save(tensors, plain)
    loaded = partial(torch.load, plain, weights_only=True)
    yield Reader("torch.load(weights_only=True)", plain, loaded, (Exception,), 5, exact=False)
    safe = directory / "plain.safetensors"
    save_file(tensors, safe)
    yield Reader("safetensors", safe, lambda: load(safe.read_bytes()), (Exception,), 5, exact=False)


def measure(scale: Scale) -> Section:
    """All readers, all kinds of damage."""
    flips = scale.pick(quick=100, full=10_000, nightly=100_000)
    rows: list[tuple[object, ...]] = []
    violations: list[str] = []
    with tempfile.TemporaryDirectory() as directory, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, on damaged archives
        run = unfinished_run(Path(directory))
        content = read_checkpoint(run / "checkpoints/last.pt")
        for reader in (*digested(run), *texts(run), *others(Path(directory), content)):
            print(f"damage: {reader.name}", file=sys.stderr, flush=True)
            for damage in DAMAGES:
                count = max(10, flips // reader.share // (1 if damage == "one bit flipped" else 10))
                counted, broken = campaign(reader, damage, count)
                rows.append((reader.name, damage, count, *counted.values()))
                violations += broken
    return Section("Damaged files", COLUMNS, tuple(rows), NOTES, tuple(violations))


COLUMNS = (
    "read by",
    "damage",
    "times",
    "noticed or left out",
    "right all the same",
    "read as something else",
    "foreign errors",
)
NOTES = (
    "Of a checkpoint and of config.toml, whose digest is in env.json, every damage must be noticed or change nothing; "
    "`newest_good` must give the generation before and name the damaged file, which counts as right.",
    "The other records are text without a digest: lines and files that are no JSON any more are left out, and a digit "
    "that has become another digit is read as such. No weight of a resumed run depends on them; a history that "
    "differs from what is computed again is reported. torch.load and safetensors read the same weights, "
    "2 kB of numbers; of larger files they notice less.",
)
