"""`loopwright watch` on real scripts: output, arguments, exit code and traceback are theirs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from loopwright.cli.main import main

TRAIN = """
import sys
import torch
from torch import nn
torch.manual_seed(0)
torch.set_num_threads(1)
x, y = torch.randn(64, 4), torch.randint(0, 2, (64,))
model = nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(5):
    loss = nn.functional.cross_entropy(model(x), y)
    {clear}
    loss.backward()
    optimizer.step()
print("loss", loss.item(), sys.argv[1:], __name__, __file__)
"""
HEALTHY, BROKEN = TRAIN.format(clear="optimizer.zero_grad()"), TRAIN.format(clear="pass")


def run(*command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *command], capture_output=True, cwd=cwd, env=environment, timeout=120)


def watch(tmp_path: Path, source: str, *arguments: str, flags: tuple[str, ...] = ()):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(source))
    done = run("-m", "loopwright", "watch", *flags, str(script), *arguments, cwd=tmp_path)
    return done, done.stderr.decode(), script


def test_a_script_has_its_own_output_arguments_and_bits(tmp_path):
    done, told, script = watch(tmp_path, HEALTHY, "--traceback", "--report", "x")
    bare = run(str(script), "--traceback", "--report", "x", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, bare.stdout)
    assert b"['--traceback', '--report', 'x'] __main__" in done.stdout
    assert "nothing wrong was found: 5 steps" in told
    assert "not checked (all names: --report DIR):" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["script.py"]


def test_a_mistake_is_told_as_it_arises_and_kept_in_files(tmp_path):
    done, told, _ = watch(tmp_path, BROKEN, flags=("--report", str(tmp_path / "found")))
    assert done.returncode == 0
    assert "loopwright: error: no-zero-grad (step 2)" in told
    assert "most probable cause: no-zero-grad" in told
    kept = json.loads((tmp_path / "found" / "findings.json").read_text())
    assert [finding["cause"] for finding in kept["findings"]] == ["no-zero-grad"]
    assert kept["steps"] == 5
    page = (tmp_path / "found" / "findings.html").read_text()
    assert "no-zero-grad" in page
    assert "http://" not in page
    assert "https://" not in page


def test_a_crash_shows_the_scripts_own_traceback_first_then_the_findings(tmp_path):
    done, told, script = watch(tmp_path, BROKEN + "\nraise ValueError('mine')\n")
    assert done.returncode == 1
    assert f'File "{script}", line ' in told
    assert "watching/script.py" not in told
    assert told.index("ValueError: mine") < told.index("most probable cause: no-zero-grad")


@pytest.mark.parametrize(
    ("ending", "code"), [("sys.exit(7)", 7), ("sys.exit()", 0), ("sys.exit('no data')", 1), ("raise SystemExit(3)", 3)]
)
def test_a_scripts_exit_code_is_its_own(tmp_path, ending, code):
    done, told, _ = watch(tmp_path, f"import sys\n{ending}\n")
    assert done.returncode == code
    assert ("no data" in told) == ("no data" in ending)
    assert "no training was seen" in told


def test_a_script_that_never_trains_is_told_so(tmp_path):
    done, told, _ = watch(tmp_path, "print('hello')")
    assert (done.returncode, done.stdout) == (0, b"hello\n")
    assert "no training was seen: 0 backward passes, no optimizer step, no model called" in told


def test_binary_output_passes_through(tmp_path):
    done, _, _ = watch(tmp_path, "import sys\nsys.stdout.buffer.write(bytes(range(256)))\n")
    assert done.stdout == bytes(range(256))


def test_a_module_is_run_by_its_name_with_its_own_imports(tmp_path):
    package = tmp_path / "mine"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "part.py").write_text("value = 3\n")
    (package / "train.py").write_text("import sys\nfrom .part import value\nprint(value, __name__, sys.argv[1:])\n")
    (package / "__main__.py").write_text("from mine.part import value\nprint('main', value)\n")
    done = run("-m", "loopwright", "watch", "-m", "mine.train", "a", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"3 __main__ ['a']\n")
    assert run("-m", "loopwright", "watch", "-m", "mine", cwd=tmp_path).stdout == b"main 3\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing.py",), "watch: nothing.py: no such script"),
        (("-m", "nothing.at.all"), "-m nothing.at.all: no such module"),
        ((), "watch: which script?"),
        (("--reprot", "x"), "'--reprot' is not known"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(tmp_path, arguments, said):
    done = run("-m", "loopwright", "watch", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr.decode()
    assert len(done.stderr.decode().strip().splitlines()) <= 2


def test_a_report_directory_that_cannot_be_written_is_refused_before_the_script_runs(tmp_path):
    (tmp_path / "file").write_text("")
    done, told, _ = watch(tmp_path, "print('ran')", flags=("--report", str(tmp_path / "file" / "below")))
    assert done.returncode == 3
    assert done.stdout == b""
    assert "loopwright: " in told


def test_loader_workers_and_forks_do_not_speak(tmp_path):
    source = HEALTHY.replace(
        "for step in range(5):",
        "for (x, y) in torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), 16, num_workers=2):",
    )
    source += "\nimport os\nchild = os.fork()\nif child == 0:\n    sys.exit(0)\nos.waitpid(child, 0)\n"
    done, told, _ = watch(tmp_path, source)
    assert done.returncode == 0
    assert told.count("nothing wrong was found") == 1


def test_a_script_that_scripts_a_function_of_torch_still_can(tmp_path):
    source = """
    import torch
    from torch.nn import functional as F

    @torch.jit.script
    def loss(a, b):
        return F.mse_loss(a, b)

    print(loss(torch.zeros(2), torch.ones(2)).item())
    """
    done, _, _ = watch(tmp_path, source)
    assert done.stdout == b"1.0\n"


def test_what_is_compiled_is_said_not_to_be_seen(tmp_path):
    source = HEALTHY.replace("model = nn.Linear(4, 2)", "model = torch.compile(nn.Linear(4, 2), backend='eager')")
    done, told, _ = watch(tmp_path, source)
    assert done.returncode == 0
    assert "torch.compile was used" in told
    assert "nothing wrong was found: 5 steps" in told


def test_the_findings_of_a_run_are_not_written_over(tmp_path, capsys):
    (tmp_path / "findings.json").write_text('{"findings": []}')
    (tmp_path / "script.py").write_text("print('began')")
    assert main(["watch", "--report", str(tmp_path), str(tmp_path / "script.py")]) == 2
    said = capsys.readouterr()
    assert "`loopwright watch` did not make it; choose another directory" in said.err
    assert said.out == ""
    assert (tmp_path / "findings.json").read_text() == '{"findings": []}'
