"""The environment of a run: what is needed beside the configuration to say where its numbers come from."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from loopwright import __version__

FIELD = re.compile(r"^(Name|Version):[ \t]*(.+?)\s*$", re.MULTILINE)


def describe_machine() -> dict[str, Any]:
    """Versions, processor and GPU: the same for every run of this process."""
    import torch

    cuda = torch.version.cuda if torch.cuda.is_available() else None
    return {
        "loopwright": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": cuda,
        "gpu": torch.cuda.get_device_name() if cuda else None,
        "platform": platform.platform(),
        "cpu": processor(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
    }


def describe_run(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The content of env.json: `facts` of the run (seed, digests, precision …), machine, code, command, packages.

    The code is the git repository of the current directory.
    """
    return {
        **facts,
        **describe_machine(),
        **describe_code(Path.cwd()),
        "command": command_line(),
        "started": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "variables": {name: os.environ[name] for name in sorted(os.environ) if name.startswith(VARIABLES)},
        "packages": packages(),
    }


VARIABLES = (
    "OMP_",
    "MKL_",
    "CUBLAS_",
    "CUDA_VISIBLE",
    "PYTORCH_",
    "TORCH_",
    "ATEN_",
    "LOOPWRIGHT_",
    "ONEDNN_",
)


def command_line() -> list[str]:
    """The command as it was given, the program by its short name."""
    program = Path(sys.argv[0]).name if sys.argv[0] else "python"
    return ["loopwright" if program == "__main__.py" else program, *sys.argv[1:]]


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's name as the system gives it."""
    lines = cpuinfo.read_text(errors="replace").splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def describe_code(directory: Path) -> dict[str, Any]:
    """The git commit of `directory` and whether anything differs from it, files that git does not know included.

    Nulls where there is no git or no commit.
    """
    commit = git(directory, "rev-parse", "HEAD")
    status = git(directory, "status", "--porcelain") if commit else None
    return {
        "git_commit": commit and commit.strip(),
        "git_dirty": None if status is None else bool(status.strip()),
    }


def uncommitted(directory: Path) -> str:
    """The difference of `directory` to its commit, as `git diff HEAD` gives it; empty where there is none."""
    plain = ("--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/")
    return git(directory, "diff", "HEAD", "--binary", *plain) or ""


def git(directory: Path, *arguments: str) -> str | None:
    """What git prints, or None where it is not there or refuses."""
    # Without optional locks, since the user may be working in the same repository.
    command = ["git", "--no-optional-locks", "-C", str(directory), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace")


def packages() -> dict[str, str]:
    """Every installed distribution and its version; of two of one name the one that is found first, and so imported."""
    found: dict[str, str] = {}
    for entry in metadata.distributions():
        # Read by hand: a parser of mail takes 15 times as long, 0.2 s of each start.
        head = (entry.read_text("METADATA") or entry.read_text("PKG-INFO") or "").partition("\n\n")[0]
        told = dict(reversed(FIELD.findall(head)))
        # What an interrupted installation leaves behind has no name.
        if "Name" in told and "Version" in told:
            found.setdefault(told["Name"], told["Version"])
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))
