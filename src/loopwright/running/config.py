"""config.toml: the whole experiment as it was run, and back. It names an experiment, never what to import."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from loopwright import __version__
from loopwright.config import TomlFile, apply, check_format, dumps, leaves, overrides_from_file, read_toml, to_dict
from loopwright.core.experiment import Expect, Experiment
from loopwright.core.study import Study
from loopwright.errors import ConfigError, RunError
from loopwright.reading import file_sha256
from loopwright.running.registry import Entry, find

FORMAT = 1
HEAD = ("format", "loopwright", "experiment", "member", "code_sha256")
MOST_LETTERS = 1000
NEUTRAL = {
    "name",
    "seed",
    "device",
    "threads",
    "parallel",
    "deterministic",
    "tensorboard",
    "keep",
    "save_every",
    "expect",
}
"""Fields that an experiment's claims do not depend on."""


@dataclass(frozen=True)
class Origin:
    """Where an experiment comes from: its name or `file.py:function`, which member of a study, the code's digest."""

    experiment: str
    member: str | None = None
    code_sha256: str | None = None

    def of_member(self, name: str) -> Origin:
        """The origin of the member `name` of a study with this origin."""
        return replace(self, member=name)

    def head(self) -> dict[str, object]:
        """The first keys of a config.toml."""
        known = {"experiment": self.experiment, "member": self.member, "code_sha256": self.code_sha256}
        return {
            "format": FORMAT,
            "loopwright": __version__,
            **{key: value for key, value in known.items() if value},
        }


def dump_config(experiment: Experiment, origin: Origin) -> str:
    """The text of config.toml: format, version and origin, and the value of every field."""
    return dumps({**origin.head(), **to_dict(experiment)})


def load_config(path: Path, reference: str | None = None) -> Experiment:
    """The experiment that a run's config.toml describes; raises what `recorded` raises, and RunError for a study."""
    made, origin = recorded(path, reference)
    if isinstance(made, Study):
        raise RunError(f"{path}: {origin.experiment} is a study; name one of the runs below {path.parent}")
    return made


def recorded(path: Path, reference: str | None = None) -> tuple[Experiment | Study, Origin]:
    """What a config.toml describes and where it comes from.

    `reference` names the experiment again where it is one's own. Raises ConfigError for an unknown field, an
    ill-typed value or a newer format, each with its line; RunError where one's own code is not at hand or has
    changed.
    """
    file = read_toml(path)
    check_format(file, newest=FORMAT)
    name, member, sha256 = (file.data.get(key) for key in ("experiment", "member", "code_sha256"))
    if not (isinstance(name, str) and name.isprintable() and len(name) <= MOST_LETTERS):
        raise ConfigError(
            f"{file.line('experiment')}: experiment: a name of at most {MOST_LETTERS} letters is expected"
        )
    entry = trusted(name, sha256, path, reference)
    origin = Origin(entry.name, str(member) if member else None, entry.sha256)
    made = entry.make()
    if isinstance(made, Study):
        if member is None:
            return with_recorded_members(made, path.parent / "members"), origin
        base = made.member(str(member))
    else:
        base = replace(made, name=entry.name)
    return filled(base, file), origin


def filled(base: Experiment, file: TomlFile) -> Experiment:
    """`base` with the values that a config.toml holds."""
    return judgeable(apply(base, overrides_from_file(file, base, besides=HEAD)), base)


def with_recorded_members(study: Study, directory: Path) -> Study:
    """`study` with its members as they were recorded in `directory`, one TOML file each."""
    files = [(member, directory / f"{member.name}.toml") for member in study.members]
    members = [filled(member, read_toml(path)) if path.is_file() else member for member, path in files]
    return replace(study, members=tuple(members))


def judgeable(experiment: Experiment, base: Experiment) -> Experiment:
    """`experiment` without the claims of `base` where it is no longer the experiment that made them."""
    mine, theirs = flat(experiment), flat(base)
    changed = sorted(name for name in mine | theirs if mine.get(name) != theirs.get(name))
    if not changed or not base.expect.claims:
        return experiment
    return replace(experiment, expect=Expect(dropped=f"{', '.join(changed)} differ from {base.name}'s"))


def flat(experiment: Experiment) -> dict[str, object]:
    """What an experiment's claims depend on, by dotted path."""
    return {path: value for path, value in values(experiment).items() if path.partition(".")[0] not in NEUTRAL}


def values(experiment: Experiment) -> dict[str, object]:
    """Every value of an experiment that can be set, by dotted path."""
    return {leaf.path: leaf.value for leaf in leaves(experiment)}


def trusted(name: str, sha256: object, path: Path, reference: str | None) -> Entry:
    """The entry of a recorded experiment.

    A record never chooses what is imported. One's own code has to be the same file, and either named again by
    `reference`, or lie below the current directory but not beside the record: whoever gives away a run directory could
    put code there, and its digest into the record. Raises RunError otherwise.
    """
    if sha256 is None and ":" not in name:
        return find(name)
    place = Path((reference or name).rpartition(":")[0])
    if reference is None and not (place.suffix == ".py" and below_here(place) and not beside(place, path)):
        raise RunError(f"{path}: made by {name}, which this record may not choose; name it with --experiment {name}")
    if place.suffix == ".py" and not place.is_file():
        raise RunError(f"{path}: {place} is not there; name the file with --experiment path/to/file.py:function")
    changed = RunError(
        f"{path}: {place} has changed since the run began; bring the old file back "
        f"(a copy is {path.parent / 'source.py'}), or train anew"
    )
    if place.suffix == ".py" and file_sha256(place) != sha256:
        raise changed
    entry = find(reference or name)
    if entry.sha256 != sha256:
        raise changed
    return entry


def below_here(place: Path) -> bool:
    """Whether `place` lies below the current directory, links followed."""
    return place.resolve().is_relative_to(Path.cwd().resolve())


def beside(place: Path, record: Path) -> bool:
    """Whether `place` lies in the record's directory or in one around it that is below the current directory."""
    around = [parent for parent in record.resolve().parents if parent != Path.cwd().resolve() and below_here(parent)]
    return any(place.resolve().is_relative_to(parent) for parent in around)
