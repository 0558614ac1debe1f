"""Why two runs part: rules, each of which looks at the evidence for one kind of cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from loopwright.matching.histories import Resume
from loopwright.rerunning.differences import Difference
from loopwright.rerunning.records import Change, Part

SIDES = ("A", "B")


@dataclass(frozen=True)
class Replays:
    """The step at which the runs A and B part, done again in both. Pairs are of A and B.

    `step` is its number, `origins` where each began. `reproduced`: whether the step, after the steps in between, is the
    run's record. It is then done again from the state before it (weights, buffers, optimizer) alone, and with the
    experiment imported anew where the process remembers something. `difference`: the first one between the two, None
    where they are equal in every bit. `repeated`: how the step then differs from what came out before; `fresh`: whether
    it repeats with the experiment imported anew each time. `refused`: what torch says to it in strict mode. `alone`:
    the settings each of which, taken over from B, turns A's step into B's.
    """

    step: int
    origins: tuple[str, str]
    difference: Difference | None
    reproduced: tuple[bool, bool]
    repeated: tuple[Difference | None, Difference | None]
    fresh: tuple[bool, bool]
    refused: tuple[str | None, str | None]
    alone: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """What is known of a parting: in what the records differ, what doing the step again showed, where that could be
    done, at which step the runs part (0: at none), and the last resume of each before it."""

    changes: Sequence[Change]
    replays: Replays | None = None
    parted: int = 0
    resumes: tuple[Resume | None, Resume | None] = (None, None)

    @property
    def difference(self) -> Difference | None:
        """The first difference that was seen."""
        return self.replays.difference if self.replays else None

    @property
    def unstable(self) -> bool:
        """Whether a step was seen to differ from itself."""
        return self.replays is not None and any(self.replays.repeated)

    @property
    def same_here(self) -> bool:
        """Whether both replays gave the same, so that what made the runs part is not in what was replayed."""
        return self.replays is not None and self.difference is None

    @property
    def explained(self) -> bool:
        """Whether the records say why the steps part."""
        told = self.of("config", "data") or any(change.name == "code_sha256" for change in self.changes)
        return bool(told) and not self.same_here

    def of(self, *parts: Part) -> list[Change]:
        """The changes in some parts of the records."""
        return [change for change in self.changes if change.part in parts]


@dataclass(frozen=True)
class Cause:
    """A cause by its name, what speaks for it, and what to do."""

    name: str
    evidence: str
    remedy: str


def causes(evidence: Evidence) -> list[Cause]:
    """Every cause that the evidence speaks for, the likeliest first; there is always one."""
    found = [cause for rule in RULES for cause in rule(evidence)]
    return found or [UNEXPLAINED]


def outside(e: Evidence) -> list[Cause]:
    """The step depends on something that a checkpoint does not hold: a run parts after its resume, or the step differs
    when it is done again in one process, but not from a fresh start."""
    remembered = list(remembering(e))
    if e.explained or (e.unstable and not remembered):
        return []
    evidence = [*resumed(e), *remembered]
    return [Cause(OUTSIDE, "; ".join(evidence), REGISTER)] if evidence else []


def resumed(e: Evidence) -> Iterator[str]:
    """Which run parts after a resume that the other did not have."""
    for side, ours, theirs in zip(SIDES, e.resumes, reversed(e.resumes), strict=True):
        if ours is not None and (theirs is None or ours.step != theirs.step):
            count = f"{ours.differing} steps that it did again differ" if ours.differing > 1 else ONE
            again = f" ({count} from its record)" if ours.differing else ""
            yield f"{side} was resumed after step {ours.step} and parts at step {e.parted}{again}: {WHAT_IS_OUTSIDE}"


def remembering(e: Evidence) -> Iterator[str]:
    """That a step differs when it is done again in one process, but not from a fresh start."""
    if e.replays is None:
        return
    for side, repeated, fresh in zip(SIDES, e.replays.repeated, e.replays.fresh, strict=True):
        if repeated is not None and fresh:
            always = f"the step of {side} is always the same from a fresh start"
            yield f"{always}, but another after the steps before it, from the same state: {said(repeated)}"
            return


ONE = "1 step that it did again differs"
OUTSIDE = "state that is not in the checkpoint"
WHAT_IS_OUTSIDE = (
    "something that is not in the checkpoint (an attribute of the model or the task, a module-level variable, a "
    "generator of its own)"
)
REGISTER = (
    "register it as a buffer of the model, or derive it from integers such as a sample's number; a resume on another "
    "machine or with other versions, which no record tells, looks the same"
)


def nondeterminism(e: Evidence) -> list[Cause]:
    """The same step from the same state gives other bits."""
    if e.replays is None:
        return []
    both = zip(SIDES, e.replays.repeated, e.replays.refused, e.replays.fresh, strict=True)
    for side, difference, refused, fresh in both:
        if difference is None or fresh:
            continue
        where = f"the step of {side}, done again from the same state, differs from the first time: {said(difference)}"
        if difference.layer == "batch":
            return [Cause("data that are not the same when read again", where, WHERE_DATA)]
        if refused:
            return [Cause(NONDETERMINISTIC, f"{where}; in deterministic mode, {refused}", "use another operation")]
        return [Cause(NONDETERMINISTIC + OR_DRAWS, where, WHERE_RANDOM)]
    return []


NONDETERMINISTIC = "an operation that is not deterministic"
OR_DRAWS = ", or draws from the clock or from a generator of its own"
WHERE_RANDOM = (
    "draw from torch's, NumPy's or Python's global generators alone, which are set before each shard, and do not seed "
    "them yourself; keep what a module remembers in its buffers"
)
WHERE_DATA = (
    "in `augment` or `__getitem__`, draw only from what is set for each sample: `uniform`, or the global generators; "
    "never from random.Random() or the clock"
)


def other_data(e: Evidence) -> list[Cause]:
    """The runs were trained on different data."""
    return [Cause("other data", listed([change]) + first(e), SAME_DATA) for change in e.of("data")]


SAME_DATA = "train both on the same data; `loopwright replay` shows samples"


def other_code(e: Evidence) -> list[Cause]:
    """The runs' code differs: their own file's, or what is around it where the replays do not show the difference."""
    own = [c for c in e.of("code") if c.name == "code_sha256"]
    around = [c for c in e.of("code") if c.name != "code_sha256"]
    if own:
        return [Cause("other code", listed(own) + first(e), "compare the runs' source.py")]
    if around and (e.same_here or e.replays is None):
        return [Cause("perhaps other code", listed(around), "check out the commit of the one, apply its code.diff")]
    return []


def settings(e: Evidence) -> list[Cause]:
    """A setting that accounts for the difference by itself; else all that differ."""
    by_name = {change.name: change for change in e.of("config")}
    alone = e.replays.alone if e.replays else ()
    shown = [(path, [c for name, c in by_name.items() if (name + ".").startswith(path + ".")]) for path in alone]
    found = [
        Cause(named(path), f"{listed(recorded)}; {ALONE}{first(e)}", alike(recorded))
        for path, recorded in shown
        if recorded
    ]
    if found or not by_name or e.same_here or e.unstable:
        return found
    many = len(by_name) > 1
    name = "several settings together" if many and e.replays else "other settings"
    return [Cause(name, listed(list(by_name.values())) + first(e), alike(list(by_name.values())))]


ALONE = "with this alone taken over from B, the step of A gives the bits of B"


def alike(changes: Sequence[Change]) -> str:
    """What to do about settings that differ."""
    return f"train both with the same value{'s' * (len(changes) > 1)}"


NAMES = {
    "threads": "another number of threads",
    "seed": "another seed",
    "shuffle": "another order of the data",
    "batch_size": "another batch size",
    "shards": "another number of shards",
    "init": "other first weights",
    "precision": "another precision",
    "deterministic": "another choice of deterministic algorithms",
    "compile": "one model is compiled, the other not",
    "device": "another device",
}


def named(path: str) -> str:
    """The cause that a setting is."""
    return NAMES.get(path, f"another {'setting of the task' if path.startswith('task') else 'hyper-parameter'}, {path}")


def elsewhere(e: Evidence) -> list[Cause]:
    """The records were made under other conditions than here: versions, hardware, variables."""
    if e.unstable or (e.replays and not e.same_here):
        return []
    found = [
        Cause(name, f"{listed(e.of(part))}{reproduction(e)}", remedy)
        for part, (name, remedy) in CONDITIONS.items()
        if e.of(part)
    ]
    if not found and e.replays and e.same_here and not all(e.replays.reproduced) and not outside(e):
        return [Cause("other conditions than here", reproduction(e).removeprefix("; "), OTHER_CONDITIONS)]
    return found


CONDITIONS: dict[Part, tuple[str, str]] = {
    "versions": ("another library version", "install the versions of the one; they cannot both be replayed here"),
    "hardware": ("another processor or GPU", "train both on the same kind of machine"),
    "variables": ("other environment variables", "set them alike"),
}
OTHER_CONDITIONS = (
    "nothing in the record explains it: a process that changed the number of threads or the kernels itself, an edited "
    "record, or a hardware fault"
)


def evaluation(e: Evidence) -> list[Cause]:
    """The steps agree, the validations do not."""
    if e.parted or e.of("data", "config"):
        return []
    evidence = "all steps agree and the data are the same, but not what the evaluation gives"
    return [Cause("an evaluation that is not deterministic", evidence, SEED_NOTHING)]


SEED_NOTHING = "draw from the global generators alone, and do not seed them yourself"


RULES: tuple[Callable[[Evidence], list[Cause]], ...] = (
    outside,
    nondeterminism,
    other_data,
    other_code,
    settings,
    elsewhere,
    evaluation,
)
UNEXPLAINED = Cause(
    "not found",
    "the records agree in everything that bits are known to depend on, and the step repeats here",
    "perhaps an operation that is not deterministic now and then, or a hardware fault: train once more, bisect again",
)


def said(difference: Difference) -> str:
    """A difference in one line."""
    return f"{difference.layer} {difference.name}: {difference.text}"


def first(e: Evidence) -> str:
    """The end of a sentence: where the replays first differ, if they do."""
    return f"; first seen in {e.difference.layer}, {e.difference.name}" if e.difference else ""


def reproduction(e: Evidence) -> str:
    """The end of a sentence: which record the replays give, where both give the same."""
    if e.replays is None or not e.same_here:
        return ""
    given = [side for side, reproduced in zip(SIDES, e.replays.reproduced, strict=True) if reproduced]
    if not given:
        return "; here both runs give the same step, and it is that of neither record: both were made elsewhere"
    rest = "; the other was made elsewhere" if len(given) == 1 else ""
    return f"; here both runs give the same step, that of the record of {' and '.join(given)}{rest}"


def listed(changes: Sequence[Change], most: int = 6) -> str:
    """Changes in one line."""
    shown = [f"{c.name} is {short(c.a)} in A and {short(c.b)} in B" for c in changes[:most]]
    more = [f"{len(changes) - most} more"] if len(changes) > most else []
    return ", ".join(shown + more)


def short(value: object, most: int = 40) -> str:
    """A value as a line shows it."""
    text = "not there" if value is None else str(value)
    if len(text) == 64 and not text.strip("0123456789abcdef"):
        return text[:12]
    return text if len(text) <= most else text[: most - 1] + "…"
