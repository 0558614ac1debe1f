"""Running a script as `python script.py` would, under the doctor.

The script does not know: its arguments, its output, its exit code and its traceback are its own. Only what the doctor
says is added, on stderr.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from loopwright.doctor.doctor import Doctor
from loopwright.errors import UsageError
from loopwright.watching.telling import Telling

INTERRUPTED = 130


@dataclass(frozen=True)
class Outcome:
    """How the script ended, and what the doctor says. `exit_code` is the script's own."""

    exit_code: int
    summary: dict[str, Any]


class Script(importlib.machinery.SourceFileLoader):
    """Loads a script from its source, and leaves nothing beside it."""

    def path_stats(self, path: str | bytes | os.PathLike[str]) -> Any:
        """No compiled file is looked for."""
        raise OSError

    def set_data(self, path: Any, data: Any, *, _mode: int = 0) -> None:
        """No compiled file is written."""


def watch_script(name: str, arguments: Sequence[str], *, module: bool = False, report: Path | None = None) -> Outcome:
    """Run the script at the path `name` (with `module`, the module of that name) with `arguments`, watched.

    What is found is told on stderr as it arises, and with `report` written into that directory. Raises UsageError where
    there is no such script.
    """
    path = located(name) if module else Path(name)
    if not path.is_file():
        raise UsageError(f"watch: {name}: no such script; name a .py file, or a module with -m")
    telling = Telling(report, [name, *arguments])
    doctor = Doctor(telling.finding)
    owner = os.getpid()
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, os.getcwd() if module else str(path.resolve().parent))
    doctor.start()
    code = execute(path, name if module else None)
    if os.getpid() != owner:  # a fork of the script that has come to its end
        os._exit(code)
    doctor.stop()
    sys.stdout.flush()
    telling.end(doctor)
    return Outcome(code, doctor.summary())


def located(name: str) -> Path:
    """The file of a module; of a package, of its `__main__`."""
    sys.path.insert(0, os.getcwd())
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except ImportError:
        spec = None
    finally:
        sys.path.pop(0)
    if spec is None or spec.origin is None:
        raise UsageError(f"watch: -m {name}: no such module; it must be importable from the current directory")
    return Path(spec.origin)


def execute(path: Path, module: str | None) -> int:
    """Run the file as `__main__`; its exit code."""
    loader = Script("__main__", str(path))
    spec = importlib.util.spec_from_file_location("__main__", path, loader=loader)
    assert spec is not None
    main = importlib.util.module_from_spec(spec)
    before = sys.modules["__main__"]
    sys.modules["__main__"] = main
    if module is None:
        # As Python itself has it, so that a spawned process imports the file again.
        main.__spec__ = None
        main.__package__ = None
    else:
        main.__package__ = module.rpartition(".")[0] if path.stem != "__main__" else module
    crash = Crash()
    try:
        with crash:
            return ended(loader, main)
    finally:
        sys.modules["__main__"] = before
    return 1


class Crash:
    """Shows the traceback of whatever the script raises, as Python would, and ends it there."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Show it."""
        if error is None:
            return False
        show(error)
        return True


def ended(loader: Script, main: ModuleType) -> int:
    """Execute the module; what its end comes to as an exit code."""
    try:
        loader.exec_module(main)
    except SystemExit as leaving:
        if leaving.code is None or isinstance(leaving.code, int):
            return leaving.code or 0
        print(leaving.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt as error:
        show(error)
        return INTERRUPTED
    return 0


def show(error: BaseException) -> None:
    """The script's traceback, without the frames that ran it."""
    frames: TracebackType | None = error.__traceback__
    here = {__file__, importlib.machinery.__file__, "<frozen importlib._bootstrap_external>"}
    here.add("<frozen importlib._bootstrap>")
    while frames is not None and frames.tb_frame.f_code.co_filename in here:
        frames = frames.tb_next
    sys.stdout.flush()
    traceback.print_exception(type(error), error, frames)
