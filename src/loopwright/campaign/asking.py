"""What a sweep is asked for: which values each field is to have, as a grid or drawn at random.

Values stay texts here, as they would stand behind a flag of `loopwright train`; the flags' own parser gives them types.
Draws depend on integers alone: the seed, the number of the draw, the field's name (by its CRC). So the first draws of
forty are those of twenty, and a field more moves no other's values.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from loopwright.config import split
from loopwright.errors import UsageError
from loopwright.seeding import Purpose, fold

Setting = dict[str, str]
"""A value for each varied field, by the field's path."""

NUMBER = r"[-+]?[\d.]+(?:[eE][-+]?\d+)?"
RANGE = re.compile(rf"(?P<log>log:)?(?P<low>{NUMBER})\.\.(?P<high>{NUMBER})")
DIGITS = 4
"""So many digits of a number are drawn, so that what was drawn can be read and typed."""
TRIES = 100
MOST = 10_000


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`; with `log` each factor is as probable as each other."""

    low: float
    high: float
    log: bool = False

    def at(self, share: float, *, whole: bool) -> str:
        """The number at `share` of the way, in [0, 1), as a text."""
        if whole and not self.log:
            return str(math.floor(self.low + share * (self.high - self.low + 1)))
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        drawn = low + share * (high - low)
        value = math.exp(drawn) if self.log else drawn
        return str(round(value)) if whole else repr(float(f"{value:.{DIGITS}g}"))


@dataclass(frozen=True)
class Varied:
    """A field that is varied: its path, and the values it may have."""

    path: str
    values: tuple[str, ...] | Range

    def draw(self, share: float, *, whole: bool) -> str:
        """One of the values, by a number in [0, 1)."""
        if isinstance(self.values, Range):
            return self.values.at(share, whole=whole)
        return self.values[int(share * len(self.values))]


def varied(texts: Sequence[str], aliases: Mapping[str, str]) -> tuple[Varied, ...]:
    """What `--set FIELD=VALUES` says, once for each field. Raises UsageError where it cannot be read."""
    found: dict[str, Varied] = {}
    for text in texts:
        name, equals, said = text.partition("=")
        if not (name and equals and said.strip()):
            raise UsageError(f"--set {text}: a field and its values are expected, as in --set optimizer.lr=1e-4,1e-3")
        path = name.removeprefix("--").replace("-", "_")
        path = {alias.replace("-", "_"): path for alias, path in aliases.items()}.get(path, path)
        path = path.removesuffix(".type")  # optimizer.type is what `optimizer` chooses
        if path in found:
            raise UsageError(f"--set {text}: {path} is set twice; give all of its values at once")
        found[path] = Varied(path, values(text, said.strip()))
    return tuple(found.values())


def values(text: str, said: str) -> tuple[str, ...] | Range:
    """A range `[log:]LOW..HIGH`, or values between commas; a value with commas of its own stands in brackets."""
    if match := RANGE.fullmatch(said):
        low, high = float(match["low"]), float(match["high"])
        if not low < high or (match["log"] and low <= 0):
            rule = "from a smaller to a larger number" + ", above 0" * bool(match["log"])
            raise UsageError(f"--set {text}: received {said}, a range goes {rule}; as in log:1e-5..1e-2")
        return Range(low, high, bool(match["log"]))
    if said.startswith("log:"):
        raise UsageError(f"--set {text}: received {said}; a range is written log:1e-5..1e-2")
    return tuple(part.strip() for part in split(said))


def grid(fields: Sequence[Varied]) -> list[Setting]:
    """Every combination, the last field the fastest. Raises UsageError for a range, and where there are too many."""
    for field in fields:
        if isinstance(field.values, Range):
            raise UsageError(f"--set {field.path}: a range has no grid; list values, or draw from it with --random 20")
    sizes = [len(field.values) for field in fields if not isinstance(field.values, Range)]
    if math.prod(sizes) > MOST:
        raise UsageError(f"sweep: {math.prod(sizes):,} combinations, at most {MOST:,} are possible; take --random 50")
    combinations = product(*(field.values for field in fields if not isinstance(field.values, Range)))
    return [dict(zip((field.path for field in fields), combination, strict=True)) for combination in combinations]


def drawn(fields: Sequence[Varied], count: int, seed: int, whole: Mapping[str, bool]) -> list[Setting]:
    """`count` different settings drawn at random; fewer where there are no more. `whole`: which fields are integers."""
    found: list[Setting] = []
    for number in range(TRIES * count):
        setting = {
            field.path: field.draw(
                (fold(seed, Purpose.SWEEP, zlib.crc32(field.path.encode()), number) >> 10) / 2**53,
                whole=whole.get(field.path, False),
            )
            for field in fields
        }
        if setting not in found:
            found.append(setting)
        if len(found) == count:
            break
    return found
