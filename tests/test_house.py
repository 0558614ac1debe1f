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

LEVELS = {
    0: ("__init__", "errors", "protocols", "seeding"),
    1: ("files", "initializers", "lines", "weights"),
    2: ("config", "core", "data", "journal", "losses", "metrics", "models", "store"),
    3: ("tasks",),
    4: ("experiments", "report"),
    5: ("running",),
    6: ("cli",),
    7: ("__main__",),
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


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
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


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
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


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_read_from_a_file_is_executed(module):
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
            allowed = {"UnpicklingError", "pickle"} if "UnpicklingError" in names else set()
            assert not {"pickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"} & set(names) - allowed
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("eval", "exec", "pickle.load", "pickle.loads", "yaml.load")
            if called == "torch.load":
                assert "weights_only=True" in ast.unparse(node)


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
