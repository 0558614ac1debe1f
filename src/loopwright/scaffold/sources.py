"""Code that goes along: modules of the installed package with their imports rewritten, and files of one's own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import loopwright
from loopwright.errors import UsageError
from loopwright.files import reading

PACKAGE = Path(loopwright.__file__).parent
HOMES = {"tasks": "data", "models": "models"}
"""Where the package's own modules go in a project; what else they import stays Loopwright's."""

IMPORTED = re.compile(r"^from loopwright\.((?:tasks|models)\.[\w.]+) import", re.MULTILINE)
Files = dict[str, str]


def home(module: str) -> str:
    """The name that a module of the package has in a project.

    >>> home("loopwright.tasks.regular.language")
    'data.regular.language'
    """
    _, part, rest = module.split(".", 2)
    return f"{HOMES[part]}.{rest}"


def movable(module: str) -> bool:
    """Whether a module of the package goes along: a task or a model."""
    return module.startswith(tuple(f"loopwright.{part}." for part in HOMES))


def taken_along(modules: Iterable[str]) -> Files:
    """The modules, and all tasks and models that they import, by their paths in the project."""
    files: Files = {}
    waiting = [module for module in modules if movable(module)]
    while waiting:
        module = waiting.pop()
        path = f"{home(module).replace('.', '/')}.py"
        package = PACKAGE.joinpath(*module.split(".")[1:])
        if package.is_dir():
            path = path.removesuffix(".py") + "/__init__.py"
        if path in files:
            continue
        source = (package / "__init__.py" if package.is_dir() else package.with_suffix(".py")).read_text("utf-8")
        files[path] = rewritten(source)
        waiting += [f"loopwright.{name}" for name in IMPORTED.findall(source)]
        if module.count(".") > 2:
            waiting.append(module.rpartition(".")[0])
    return files


def rewritten(source: str) -> str:
    """A module's text with imports of tasks and models from the project."""
    return IMPORTED.sub(lambda found: f"from {home('loopwright.' + found[1])} import", source)


def own_files(path: Path, reserved: Iterable[str]) -> Files:
    """The file of an experiment of one's own and the files beside it that it imports, by name.

    Raises UsageError where one has a name that the project needs for itself, or imports a package beside it.
    """
    files: Files = {}
    waiting = [path]
    taken = set(reserved)
    while waiting:
        place = waiting.pop()
        if place.name in files:
            continue
        if place.stem in taken:
            raise UsageError(f"{place}: the project has a {place.stem} of its own; give this file another name")
        with reading(place):
            files[place.name] = place.read_text("utf-8")
        for name in imported(files[place.name], place):
            beside = place.parent / name
            if beside.with_suffix(".py").is_file():
                waiting.append(beside.with_suffix(".py"))
            elif (beside / "__init__.py").is_file():
                raise UsageError(f"{place}: imports the package {beside}, which is not taken along; install it")
    return files


def imported(source: str, path: Path) -> set[str]:
    """The top names that a module imports. Raises UsageError where it cannot be parsed."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise UsageError(f"{path}:{error.lineno}: {error.msg}; mend that first") from error
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names
