"""Which files a project has, and what they say: a function of an experiment and a title."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loopwright.core import Experiment, Study
from loopwright.errors import UsageError
from loopwright.running.registry import find
from loopwright.running.runner import run_name
from loopwright.scaffold import plain
from loopwright.scaffold.sources import Files, home, movable, own_files, taken_along
from loopwright.scaffold.templates import fill
from loopwright.scaffold.written import Imports, Verbatim, written

OWN = {"train", "train_loopwright", "experiment", "order", "record", "fill", "models", "data", "tests", "conftest"}
"""Module names that a project has itself."""

PLAIN_FILES = {
    "train.py": "train.py",
    "order.py": "order.py",
    "record.py": "record.py",
    "experiment.py": "experiment_own.py",
    "models/__init__.py": "models_init.py",
    "data/__init__.py": "data_init.py",
    "tests/test_project.py": "test_plain.py",
}
TAKEN_FILES = {"experiment.py": "experiment_taken.py", "tests/test_project.py": "test_taken.py"}
COMMON_FILES = {
    "README.md": "README.md",
    "Makefile": "Makefile",
    "requirements.txt": "requirements.txt",
    "pyproject.toml": "pyproject.toml",
    ".gitignore": "gitignore",
    ".github/workflows/ci.yml": "ci.yml",
    "train_loopwright.py": "train_loopwright.py",
    "fill.py": "fill.py",
    "tests/conftest.py": "conftest.py",
    "experiments.md": "experiments.md",
    "report.md": "report.md",
    "postmortem.md": "postmortem.md",
    "notes/theory-summary.md": "notes_theory.md",
    "notes/mistakes-and-fixes.md": "notes_mistakes.md",
    "notes/weekly-retrospective.md": "notes_retrospective.md",
    "artifacts/results.md": "results.md",
}
PACKAGES = {
    "digits": ["scikit-learn>=1.5"],
    "tabular": ["scikit-learn>=1.5", "skops>=0.11"],
    "regular": ["greenery>=4.2"],
}
"""What a task needs besides PyTorch, for its data first, by the module that it is in."""

PACKAGES_ABOUT = {
    "models": "The model: a copy of Loopwright's own, to be changed.",
    "data": "The task, its data, loss and evaluation: a copy of Loopwright's own, to be changed.",
}


@dataclass(frozen=True)
class Source:
    """What a project is made from; `own` is the file or module, and the function, of an experiment of one's own."""

    experiment: Experiment
    summary: str
    own: tuple[str, str] | None = None
    study: str | None = None

    @property
    def name(self) -> str:
        """The experiment's name as a plain one: of letters, digits, dots and dashes."""
        return re.sub(r"[^A-Za-z0-9.]+", "-", run_name(self.experiment.name)).strip("-.") or "experiment"


def named(reference: str, member: str | None = None) -> Source:
    """What `reference` names, of a study the first member or `member`. Raises UsageError where there is none."""
    entry = find(reference)
    made, own = entry.make(), None
    if ":" in reference:
        place, _, function = reference.rpartition(":")
        own = (place, function)
    if isinstance(made, Study):
        chosen = made.member(member) if member else made.members[0]
        return Source(chosen, entry.summary, own, study=entry.name)
    if member:
        raise UsageError(f"--member {member}: {reference} is no study, it has no members; leave it out")
    return Source(replace(made, name=entry.name), entry.summary, own)


def render(source: Source, title: str) -> Files:
    """Every file of a project, by its path. Raises UsageError where one's own files cannot be taken along."""
    obstacle = obstacle_of(source)
    texts, about = taken(source) if obstacle else explicit(source)
    about |= {
        "title": title,
        "name": source.name,
        "summary": source.summary or "What is trained.",
        "obstacle": obstacle,
        "plain": obstacle is None,
        "main": "train_loopwright.py" if obstacle else "train.py",
        "own": source.own is not None,
        "packages": packages(source.experiment, plainly=obstacle is None),
        "optimizer_name": type(source.experiment.optimizer).__name__,
    }
    templates = {**COMMON_FILES, **(TAKEN_FILES if obstacle else PLAIN_FILES)}
    return dict(sorted({**texts, **{path: fill(template, about) for path, template in templates.items()}}.items()))


def obstacle_of(source: Source) -> str | None:
    """Why a project has no train.py; None where it has."""
    return "an experiment of one's own is taken as it is" if source.own else plain.obstacle(source.experiment)


def explicit(source: Source) -> tuple[Files, plain.Context]:
    """Model and data of a project with train.py, spelled out, and what its templates are filled with."""
    name, threads = f"{source.name}-loopwright", source.experiment.threads or 1
    experiment = replace(source.experiment, name=name, threads=threads)
    about, task = plain.context(experiment), type(experiment.task)
    imports = Imports(moved)
    imports.add("loopwright", "losses")
    imports.add("loopwright.data", "TensorData", "count")
    imports.add("loopwright.protocols", "Batch", "Split")
    if about["augments"]:
        imports.add("loopwright.seeding", "Uniform")
    if not about["regression"]:
        imports.add("loopwright.metrics", "classification")
    own: Any = Verbatim(f"{task.__name__}()")  # the project's class of that name, which is its configuration
    expression = written(replace(experiment, task=own), imports, indent=4, before=len("return "))
    files = {f"data/{about['file']}.py": plain.data_file(experiment.task)}
    if about["module"]:
        files |= taken_along([about["module"]])
    return files, {
        **about,
        "imports": imports.text(),
        "expression": expression,
        "task_name": task.__name__,
    }


def taken(source: Source) -> tuple[Files, plain.Context]:
    """The code of an experiment as it is, and what the templates are filled with."""
    imports = Imports(moved)
    if source.own:
        files, expression = own_code(source, imports)
    else:
        named = replace(source.experiment, name=source.name)
        expression = written(named, imports, indent=4, before=len("return "))
        files = taken_along(imports.modules)
        for package, about in PACKAGES_ABOUT.items():
            files[f"{package}/__init__.py"] = fill("package_init.py", {"about": about})
    return files, {"imports": imports.text(), "expression": expression, **told(source)}


def moved(module: str) -> str | None:
    """The name that a module has in a project, where it goes along."""
    return home(module) if movable(module) else None


def own_code(source: Source, imports: Imports) -> tuple[Files, str]:
    """The files of an experiment of one's own, and the call of its function. A module that is installed stays there."""
    assert source.own is not None
    place, function = source.own
    path = Path(place)
    files = own_files(path, OWN) if path.suffix == ".py" else {}
    imports.add("dataclasses", "replace")
    imports.add("loopwright.core", "Experiment")
    imports.add(path.stem if files else place, function, own=True)
    member = f".member({written(source.experiment.name, imports)})" if source.study else ""
    return files, f"replace({function}(){member}, name={written(source.name, imports)})"


def told(source: Source) -> plain.Context:
    """What a project says about code that was taken along."""
    if source.own is None:
        where = "The task is data/'s, the model models/': copies of Loopwright's own, yours to change."
        return {
            "where": where,
            "along": "So task and model are copies of Loopwright's own code, in `data/` and `models/`.",
        }
    place, function = source.own
    if place.endswith(".py"):
        name = Path(place).name
        where = f"The experiment is {name}'s function {function}: a copy of your file."
        return {"where": where, "along": f"`{name}` is a copy of your file; what it reads from the disk stayed there."}
    where = f"The experiment is {place}'s function {function}, which has to be installed: it was not taken along."
    return {"where": where, "along": f"`{place}` has to be installed; it was not taken along."}


def packages(experiment: Experiment, *, plainly: bool) -> list[str]:
    """What the task of an experiment needs besides PyTorch; written down in plain PyTorch, its data alone."""
    module = type(experiment.task).__module__
    needed = [name for part, names in PACKAGES.items() if f".{part}" in module for name in names]
    return needed[:1] if plainly else needed
