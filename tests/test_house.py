"""The rules of the house, each a test: which way imports point, how long things get, what is never called."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "loopwright"
MODULES = sorted(PACKAGE.rglob("*.py"))
TOOLS = [ROOT / "guarantees", ROOT / "doctor_score", ROOT / "doctor_score" / "peers"]
MEASURED = [*MODULES, *(module for folder in TOOLS for module in sorted(folder.glob("*.py")))]
"""What has to be short and documented."""

LEVELS = {
    0: ("__init__", "bits", "errors", "protocols", "reading", "seeding"),
    1: (
        "derived",
        "directions",
        "files",
        "identity",
        "initializers",
        "leash",
        "lines",
        "processes",
        "significance",
        "values",
        "weights",
    ),
    2: ("config", "core", "data", "journal", "labels", "losses", "metrics", "models", "store"),
    3: ("catalogue", "doctor", "tasks"),
    4: ("faults", "report", "studies"),
    5: ("experiments",),
    6: ("running",),
    7: ("comparing", "matching", "scaffold"),
    8: ("auditing", "rerunning", "watching"),
    9: ("checking", "diagnosing"),
    10: ("campaign", "lab", "postmortem"),
    11: ("cli", "testing"),
    12: ("__main__",),
}
LEVEL = {name: level for level, names in LEVELS.items() for name in names}


def part(module: Path) -> str:
    """The top-level part of the house that a file belongs to: `core`, `losses` …"""
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text())


def imported(node: ast.AST) -> list[str]:
    """The parts of the package that an import statement names."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [
            f"{node.module}.{alias.name}" if node.module == "loopwright" else node.module or "" for alias in node.names
        ]
    else:
        return []
    return [name.split(".")[1] if "." in name else "__init__" for name in names if name.split(".")[0] == "loopwright"]


def functions(module: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree(module)) if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(module):
    own = part(module)
    assert own in LEVEL, f"give {own} a level"
    for node in ast.walk(tree(module)):
        for other in imported(node):
            name = other if other in LEVEL else "__init__"
            assert name == own or LEVEL[name] < LEVEL[own], (
                f"{own} (level {LEVEL[own]}) imports {other} (level {LEVEL[name]})"
            )


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_imports_ours_inside_a_function(module):
    inside = [node for function in functions(module) for node in ast.walk(function)]
    assert [imported(node) for node in inside if imported(node)] == []


@pytest.mark.parametrize("module", MEASURED, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(module):
    assert len(module.read_text().splitlines()) <= 400
    for function in functions(module):
        body = function.body[1:] if ast.get_docstring(function) else function.body
        length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
        assert length <= 60, f"{function.name}: {length} lines"
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        counted = [argument for argument in arguments if argument.arg not in ("self", "cls")]
        assert len(counted) <= 8, f"{function.name}: {len(counted)} arguments"


def test_the_median_file_is_short():
    lengths = sorted(len(module.read_text().splitlines()) for module in MODULES)
    assert lengths[len(lengths) // 2] <= 150


@pytest.mark.parametrize("module", MEASURED, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_public_name_has_a_docstring(module):
    found = tree(module)
    if module.name != "__init__.py" or found.body:
        assert ast.get_docstring(found), "the module"
    for node in found.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name
            methods = node.body if isinstance(node, ast.ClassDef) else []
            for method in methods:
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                    assert ast.get_docstring(method), f"{node.name}.{method.name}"


UNPICKLERS = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib", "jsonpickle"}
UNPICKLERS |= {"torch.jit", "torch.package", "torch.hub", "runpy", "code", "codeop", "imp", "pty", "tarfile"}
EXECUTES = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "breakpoint",
    "yaml.load",
    "yaml.unsafe_load",
    "os.system",
    "os.popen",
}
EXECUTES |= {"builtins.eval", "builtins.exec", "torch.jit.load", "torch.hub.load", "torch.package.PackageImporter"}
IMPORTS = {"import_module", "spec_from_file_location", "module_from_spec", "exec_module", "load_module", "__import__"}
UNPACKS = {"extractall", "extract", "unpack_archive", "writestr"}
NEEDED = {"load": {"torch": ("weights_only", True), "np": ("allow_pickle", False), "numpy": ("allow_pickle", False)}}

IMPORTERS = {
    "faults/registry.py": "imports the package's own faults",
    "running/registry.py": "imports what the command line names; a record never chooses it (running.config.trusted)",
    "watching/script.py": "runs the script that the command line names",
    "__init__.py": "imports what watches when it is asked for, by names of its own",
    "cli/main.py": "imports the verb's module, one of a list of its own",
}


def dangers(code: ast.AST, *, may_import: bool = False) -> list[str]:
    """What in `code` could execute something that was read from a file: each call and import that is against a rule."""
    found = []
    for node in ast.walk(code):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found += forbidden_imports(node)
        if isinstance(node, ast.Call):
            found += forbidden_call(node, may_import=may_import)
        # A name that is not called here could be called there.
        if isinstance(node, ast.Name) and node.id in ("eval", "exec", "__import__"):
            found.append(node.id)
    return found


def forbidden_imports(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Unpicklers and what else runs code, by any name; of pickle its error alone. `load` stays behind its module."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if {alias.name, alias.name.split(".")[0]} & UNPICKLERS]
    names = [f"{node.module}.{alias.name}" for alias in node.names]
    bare = [name for name in names if name.rpartition(".")[2] in {*IMPORTS, *UNPACKS, "system", "popen"}]
    loads = [name for name in names if name in ("torch.load", "numpy.load", "torch.serialization.load")]
    modules = [] if names == ["pickle.UnpicklingError"] else [name for name in names if unpickler(name)]
    return [*bare, *loads, *modules]


def unpickler(name: str) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in UNPICKLERS)


def forbidden_call(node: ast.Call, *, may_import: bool) -> list[str]:
    """A call that executes, imports, unpacks, or loads and starts without what makes it safe."""
    called, given = ast.unparse(node.func), {key.arg: key.value for key in node.keywords}
    owner, _, name = called.rpartition(".")
    if called in EXECUTES or unpickler(called):
        return [called]
    if name in IMPORTS and not may_import:
        return [called]
    if name in UNPACKS and owner:
        return [called]
    if "shell" in given and ast.unparse(given["shell"]) != "False":
        return [f"{called} through a shell"]
    if owner in NEEDED.get(name, {}):
        argument, wanted = NEEDED[name][owner]
        value = given.get(argument)
        return [] if isinstance(value, ast.Constant) and value.value is wanted else [f"{called} without {argument}"]
    return []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_read_from_a_file_is_executed(module):
    assert dangers(tree(module), may_import=module.relative_to(PACKAGE).as_posix() in IMPORTERS) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "import dill as d",
        "from pickle import loads",
        "from pickle import UnpicklingError, loads",
        "from torch import load",
        "from torch.serialization import load",
        "import torch.jit",
        "from torch import jit",
        "import tarfile",
        "from importlib import import_module",
        "from os import system",
        "eval(text)",
        "exec(text)",
        "run = exec",
        "__import__(name)",
        "os.system(command)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.load(path, weights_only=safe)",
        "torch.jit.load(path)",
        "np.load(path)",
        "numpy.load(path, allow_pickle=True)",
        "importlib.import_module(name)",
        "importlib.util.spec_from_file_location(name, path)",
        "spec.loader.exec_module(module)",
        "archive.extractall(directory)",
        "archive.extract(name)",
        "archive.writestr(name, text)",
        "shutil.unpack_archive(path)",
        "subprocess.run(command, shell=True)",
        "subprocess.Popen(command, shell=wanted)",
    ],
)
def test_each_rule_about_what_is_executed_can_fail(code):
    assert dangers(ast.parse(code)) != []


@pytest.mark.parametrize(
    "code",
    [
        "from pickle import UnpicklingError",
        "torch.load(path, map_location='cpu', weights_only=True)",
        "np.load(path, allow_pickle=False)",
        "json.load(file)",
        "subprocess.run(command, shell=False)",
        "match = re.compile(text)",
    ],
)
def test_what_is_safe_is_allowed(code):
    assert dangers(ast.parse(code)) == []


def test_who_may_import_by_name_is_there_and_does():
    for name in IMPORTERS:
        assert dangers(tree(PACKAGE / name)) != []
        assert dangers(tree(PACKAGE / name), may_import=True) == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_error_is_swallowed_by_a_broad_except(module):
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None
            broad = ast.unparse(node.type) in ("Exception", "BaseException")
            assert not broad or isinstance(node.body[-1], ast.Raise)


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_help_imports_no_torch():
    assert not {"torch", "numpy", "matplotlib"} & loaded_by("from loopwright.cli.main import main; main(['--help'])")


def test_the_loop_stands_on_torch_alone():
    heavy = {
        "lightning",
        "pytorch_lightning",
        "accelerate",
        "transformers",
        "ignite",
        "composer",
        "sklearn",
        "matplotlib",
    }
    assert not heavy & loaded_by("import loopwright.core.loop")


def test_adding_a_task_touches_two_files():
    """A task and an experiment: nothing else in the package names the tasks there are."""
    for name in ("points", "line", "digits", "mnist", "tabular"):
        users = [
            module.relative_to(PACKAGE).as_posix()
            for module in MODULES
            if f"loopwright.tasks.{name} " in module.read_text()
        ]
        assert all(user.startswith(("tasks/", "experiments/")) for user in users), users
