"""`loopwright new`: what is made, from what, and what is refused."""

from __future__ import annotations

import ast
import json
import os
import re
import textwrap
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from loopwright.cli.main import main
from loopwright.core import SGD, Linear, Muon, Step
from loopwright.errors import StoreError, UsageError
from loopwright.running.registry import entries
from loopwright.scaffold import Origin, make_project, named, obstacle_of, render
from tests.scaffold.projects import inside, make, refused

ROOT = Path(__file__).parents[2]
DELIVERABLES = {
    "README.md",
    "Makefile",
    ".gitignore",
    ".github/workflows/ci.yml",
    "experiments.md",
    "postmortem.md",
    "report.md",
    "notes/theory-summary.md",
    "notes/mistakes-and-fixes.md",
    "notes/weekly-retrospective.md",
    "artifacts/results.md",
    "experiment.py",
    "train_loopwright.py",
    "tests/test_project.py",
    "models/__init__.py",
    "data/__init__.py",
}


def imports(source: str) -> set[str]:
    """The top names that a module imports."""
    nodes = list(ast.walk(ast.parse(source)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("name", entries())
def test_a_project_can_be_made_from_every_experiment(name):
    source = named(name)
    files = render(source, "mine")
    assert files.keys() >= DELIVERABLES
    for path, text in files.items():
        assert text.endswith("\n") or not text, path
        if path.endswith(".py"):
            compile(text, path, "exec")
    # Tasks and models go along; nothing is left that imports the package's own.
    assert not [path for path, text in files.items() if re.search(r"loopwright\.(tasks|models|experiments)\b", text)]
    assert ("train.py" in files) == (obstacle_of(source) is None)
    if "train.py" not in files:
        assert obstacle_of(source) in files["README.md"]


@pytest.mark.parametrize("name", ["points", "points-xor", "line", "digits-mlp", "digits-cnn", "digits-init", "tabular"])
def test_train_py_is_short_and_needs_torch_alone(name):
    files = render(named(name), "mine")
    assert len(files["train.py"].splitlines()) < 150
    own = {"data", "models", "order", "record"}
    standard = {"json", "math", "os", "sys", "time", "dataclasses", "pathlib", "typing"}
    assert imports(files["train.py"]) <= {"torch"} | own | standard
    others = set().union(*(imports(text) for path, text in files.items() if path.startswith(("data/", "models/"))))
    assert others | imports(files["order.py"]) | imports(files["record.py"]) <= {
        *("torch", "sklearn", "__future__", "collections", "functools", "argparse", "fcntl", "hashlib", "platform"),
        *("subprocess", "datetime"),
        *(own | standard),
    }


def test_the_loop_stands_in_its_order_in_one_function():
    loop = next(
        node
        for node in ast.parse(render(named("digits-mlp"), "mine")["train.py"]).body
        if isinstance(node, ast.FunctionDef) and node.name == "train"
    )
    text = ast.unparse(loop)
    order = ["model(x)", "cross_entropy", ".backward()", "clip_grad_norm_", "optimizer.step()", "optimizer.zero_grad()"]
    places = [text.index(part) for part in [*order, "evaluate(", "save("]]
    assert places == sorted(places)


def test_projects_pass_the_formatter_and_the_linter(tmp_path):
    ruff = pytest.importorskip("ruff")
    for name in ("points-circles", "line", "digits-cnn", "tabular", "fsm-micro"):
        make(tmp_path / name, name)
    for arguments in (["format", "--check"], ["check", "--no-cache"]):
        assert os.spawnl(os.P_WAIT, ruff.find_ruff_bin(), "ruff", *arguments, "--quiet", str(tmp_path)) == 0


def test_new_writes_a_project_and_says_where(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["new", "deep/down/mine", "--from", "line"]) == 0
    said = capsys.readouterr()
    assert said.out == "deep/down/mine\n"
    assert "make train" in said.err
    project = tmp_path / "deep/down/mine"
    assert (project / "train.py").read_text() == (project / ".loopwright/pristine/train.py").read_text()
    assert json.loads((project / ".loopwright/origin.json").read_text())["experiment"] == "line"
    assert project.stat().st_mode & 0o777 == 0o777 & ~umask()
    assert [path.name for path in project.parent.iterdir()] == ["mine"]


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_new_fills_an_empty_directory_also_the_current_one(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["new", ".", "--from", "points"]) == 0
    assert (tmp_path / "train.py").is_file()
    assert not list(tmp_path.glob(".loopwright-new-*"))


def test_a_directory_that_is_not_empty_is_refused_with_what_is_in_it(tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("years of work")
    assert "it has thesis.tex" in refused(capsys, "new", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    assert "a file of that name" in refused(capsys, "new", str(tmp_path / "thesis.tex"))


@pytest.mark.parametrize("exists", [True, False])
def test_nothing_is_left_where_a_project_cannot_be_written(tmp_path, exists):
    directory = tmp_path / "a/mine"
    if exists:
        directory.mkdir(parents=True)
    files = {"train.py": "print()\n", "train.py/below": "a file in the place of a directory\n"}
    with pytest.raises(StoreError, match="cannot be written"):
        make_project(directory, files, Origin("points", None, "mine"))
    assert [path.name for path in tmp_path.rglob("*")] == (["a", "mine"] if exists else [])


def test_a_table_of_ones_own_is_read_by_loopwright(tmp_path):
    source = named("tabular")
    changed = replace(source.experiment, task=replace(source.experiment.task, source=tmp_path / "mine.csv", label="y"))
    files = render(replace(source, experiment=changed), "mine")
    assert "a file of its own" in files["README.md"]
    told = " ".join(files["experiment.py"].split())  # a long path makes a line of its own
    assert f'source=Path("{tmp_path}/mine.csv"), label="y"' in told


def test_what_train_py_has_no_setting_for_is_said():
    experiment = named("points").experiment
    for field, value in {
        "shards": 4,
        "precision": "bf16",
        "patience": 3,
        "optimizer": Muon(),
        "schedule": Step(),
    }.items():
        assert field in str(obstacle_of(replace(named("points"), experiment=replace(experiment, **{field: value}))))
    plain = render(replace(named("points"), experiment=replace(experiment, optimizer=SGD(), schedule=Linear())), "a")
    assert "torch.optim.SGD(groups, lr=settings.lr, momentum=0.9, nesterov=False, fused=True)" in plain["train.py"]
    assert "return 1 - done" in plain["train.py"]


def test_unknown_names_are_answered_with_the_nearest(tmp_path, capsys):
    assert "'digits-cnn'" in refused(capsys, "new", str(tmp_path / "a"), "--from", "digit-cnn")
    assert "'he-seed0'" in refused(capsys, "new", str(tmp_path / "a"), "--from", "digits-init", "--member", "he-sed0")
    assert "no study" in refused(capsys, "new", str(tmp_path / "a"), "--from", "points", "--member", "a")
    assert "which directory" in refused(capsys, "new")
    assert "name one of them" in refused(capsys, "new", str(tmp_path / "a"), "--diff", str(tmp_path))
    assert not (tmp_path / "a").exists()


def test_of_a_study_a_member_is_taken(tmp_path, capsys):
    assert main(["new", str(tmp_path / "a"), "--from", "digits-init", "--member", "he-seed1"]) == 0
    assert "the member he-seed1" in capsys.readouterr().err
    assert 'init="he"' in (tmp_path / "a/experiment.py").read_text()
    assert not (tmp_path / "a/train.py").exists()
    assert 'init="' not in render(named("digits-init"), "b")["experiment.py"]


def own(directory: Path, extra: str = "") -> str:
    """An experiment of one's own, in a file with a helper beside it."""
    text = (ROOT / "README.md").read_text()
    parity = next(block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "class Parity" in block)
    (directory / "helper.py").write_text("WIDTH = 64\n")
    (directory / "parity.py").write_text(f"import helper\n{extra}\n{parity}")
    return f"{directory / 'parity.py'}:parity"


def test_an_experiment_of_ones_own_goes_along_with_what_is_beside_it(tmp_path, capsys):
    reference = own(tmp_path)
    assert main(["new", str(tmp_path / "mine"), "--from", reference]) == 0
    project = tmp_path / "mine"
    assert (project / "parity.py").read_text() == (tmp_path / "parity.py").read_text()
    assert (project / "helper.py").is_file()
    assert "from parity import parity" in (project / "experiment.py").read_text()
    assert "copy of your file" in (project / "README.md").read_text()
    capsys.readouterr()
    # What is imported is never chosen by the record.
    assert "name it again" in refused(capsys, "new", "--diff", str(project))
    assert main(["new", "--diff", str(project), "--from", reference]) == 0
    assert "nothing has changed" in capsys.readouterr().out


def test_any_summary_and_an_installed_module_will_do(tmp_path):
    source = named("loopwright.experiments.points:points")
    files = render(replace(source, summary='a "quoted" \\ one"'), "mine")
    assert ast.get_docstring(ast.parse(files["experiment.py"]).body[-1]) == 'a "quoted" \\ one"'
    assert "from loopwright.experiments.points import points" in files["experiment.py"]
    assert "has to be installed" in files["README.md"]
    assert ast.parse(render(replace(source, summary=""), "mine")["experiment.py"])


def test_own_files_with_names_that_the_project_needs_are_refused(tmp_path):
    reference = own(tmp_path, extra="import train")
    (tmp_path / "train.py").write_text("")
    with pytest.raises(UsageError, match="another name"):
        render(named(reference), "mine")
    (tmp_path / "train.py").unlink()
    (tmp_path / "train").mkdir()
    (tmp_path / "train/__init__.py").write_text("")
    with pytest.raises(UsageError, match="not taken along"):
        render(named(reference), "mine")


@pytest.mark.parametrize("name", ["a b", "weird\x1b[2J", "<script>", "__", "ünïcode"])
def test_a_title_is_harmless(tmp_path, name, capsys):
    assert main(["new", str(tmp_path / name), "--from", "line"]) == 0
    title = (tmp_path / name / "README.md").read_text().splitlines()[0]
    assert title.isprintable()
    assert "<" not in title


def test_every_template_is_in_the_package_data():
    globs = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["loopwright"]
    package = ROOT / "src/loopwright"
    held = {path for pattern in globs for path in package.glob(pattern)}
    assert set((package / "scaffold/templates").rglob("*.j2")) <= held


def test_a_run_that_was_killed_while_it_began_is_not_gone_on_with(tmp_path):
    project = make(tmp_path / "mine", "line")
    code = """
        import os, sys
        from dataclasses import make_dataclass
        import record
        Settings = make_dataclass("Settings", [("seed", int, 0), ("device", str, "cpu"), ("threads", int, 1)])
        if sys.argv[1] == "killed":
            record.write_text = lambda path, text: os._exit(9) if path.name == "config.toml" else path.write_text(text)
        print(record.open_run("line", Settings()))
    """
    assert inside(project, "-c", textwrap.dedent(code), "killed").returncode == 9
    whole = inside(project, "-c", textwrap.dedent(code), "whole").stdout.strip()
    assert whole.endswith("002")
    assert json.loads(Path(whole, "env.json").read_text())["seed"] == 0
    assert (Path(whole).parent / "latest").resolve() == Path(whole)


def test_what_is_printed_of_a_directory_is_printable_and_quoted(tmp_path, capsys):
    assert main(["new", str(tmp_path / "my \x1b[31mproject"), "--from", "line"]) == 0
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert "cd '" in said.err
