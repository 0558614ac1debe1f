"""Which experiments there are: every function of `loopwright.experiments` that is annotated to return an Experiment
or a Study.

`digits_cnn` is called `digits-cnn`. One's own are named by where they are: `path/to/file.py:function` or
`package.module:function`.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from loopwright import experiments
from loopwright.core.experiment import Experiment
from loopwright.core.study import Study
from loopwright.errors import UsageError, nearest
from loopwright.reading import file_sha256

ANNOTATIONS = ("Experiment", "Study")


@dataclass(frozen=True)
class Entry:
    """An experiment that can be trained. `sha256` is that of the file for one's own experiments, None for ours."""

    name: str
    summary: str
    make: Callable[[], Experiment | Study]
    sha256: str | None = None


def entries() -> dict[str, Entry]:
    """The experiments that come with the package, by name."""
    found = {}
    for info in pkgutil.iter_modules(experiments.__path__):
        for entry in declared(importlib.import_module(f"{experiments.__name__}.{info.name}")):
            found[entry.name] = entry
    return dict(sorted(found.items()))


def declared(module: ModuleType) -> Iterator[Entry]:
    """The experiments that `module` itself defines."""
    for name, function in inspect.getmembers(module, inspect.isfunction):
        public = function.__module__ == module.__name__ and not name.startswith("_")
        if public and function.__annotations__.get("return") in ANNOTATIONS and not required(function):
            yield Entry(name.replace("_", "-"), summary(function), function)


def find(name: str) -> Entry:
    """The experiment called `name`, one of ours or `file.py:function` or `package.module:function`.

    Raises UsageError where there is none: with the nearest name, the missing file, or the missing function.
    """
    if ":" in name:
        return imported(name)
    known = entries()
    if name not in known:
        raise UsageError(f"experiment {name!r}: not known, {nearest(name, known)} `loopwright list` shows all")
    return known[name]


def imported(reference: str) -> Entry:
    """An experiment of the user's own; this runs their module."""
    place, _, function_name = reference.rpartition(":")
    module = load_file(Path(place)) if place.endswith(".py") else load_module(place)
    named = dict(inspect.getmembers(module, inspect.isfunction))
    if function_name not in named:
        raise UsageError(
            f"experiment {reference!r}: {place} has no function {function_name!r}, {nearest(function_name, named)}"
        )
    if required(named[function_name]):
        raise UsageError(f"experiment {reference!r}: {function_name} needs arguments; name one that needs none")
    return Entry(
        reference,
        summary(named[function_name]),
        named[function_name],
        file_sha256(Path(str(module.__file__))),
    )


def load_file(path: Path) -> ModuleType:
    """The module in the file at `path`; its own directory can be imported from, as `python file.py` would have it."""
    if not path.is_file():
        raise UsageError(f"{path}: no such file; your own experiment is named path/to/file.py:function")
    name = f"loopwright_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path}: Python cannot load it; name a .py file")
    sys.path.insert(0, str(path.parent.resolve()))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def load_module(name: str) -> ModuleType:
    """The module called `name`, the current directory included in the search."""
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise UsageError(f"module {name!r}: {error}; name an importable package.module:function") from error


def required(function: Callable[..., object]) -> bool:
    """Whether `function` cannot be called without arguments."""
    parameters = inspect.signature(function).parameters.values()
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return any(parameter.default is parameter.empty and parameter.kind not in variable for parameter in parameters)


def summary(function: Callable[..., object]) -> str:
    """The first line of a function's docstring."""
    return (inspect.getdoc(function) or "").partition("\n")[0]
