"""The README stays true: its code is the code (`python tests/test_readme.py --update`), its commands are run."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

from loopwright.core.loop import train_step

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SHOWN = re.compile(r"(<!-- begin train_step.*?-->\n```python\n).*?(```\n<!-- end train_step -->)", re.DOTALL)


def with_current_code(text: str) -> str:
    source = inspect.getsource(train_step)
    return SHOWN.sub(lambda found: found[1] + source + found[2], text)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)


def test_the_loop_in_the_readme_is_the_loop():
    text = README.read_text()
    assert "def train_step(" in text
    assert with_current_code(text) == text


def test_the_commands_of_the_readme_work_as_they_are_written(tmp_path):
    own = next(block for block in blocks("python") if "class Parity" in block)
    (tmp_path / "parity.py").write_text(own)
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("loopwright ")]
    assert len(commands) >= 10
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for command in commands:
        done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
        expected = re.search(r"# exit code (\d)$", command)
        assert done.returncode == (int(expected[1]) if expected else 0), (command, done.stdout, done.stderr)
    assert (tmp_path / "runs/parity/002/report.html").is_file()
    assert (tmp_path / "runs/points/002").is_dir()


def test_the_parts_of_the_readme_work_as_they_are_written(tmp_path):
    code = next(block for block in blocks("python") if "save_checkpoint(" in block)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)


def test_the_make_targets_of_the_readme_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"make ([a-z-]+)", README.read_text()))
    assert named <= targets, named - targets


def test_the_links_of_the_readme_lead_somewhere():
    for link in re.findall(r"\]\(([^)#]+)\)", README.read_text()):
        assert link.startswith("http") or (ROOT / link).exists(), link


if __name__ == "__main__" and "--update" in sys.argv:
    README.write_text(with_current_code(README.read_text()))
