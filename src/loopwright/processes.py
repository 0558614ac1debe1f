"""Commands in processes of their own that cannot outlive or hang whoever started them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from loopwright.errors import LoopwrightError

LEASH = (sys.executable, "-P", "-m", "loopwright.leash")
EXCEPTION = re.compile(r"(\w+\.)*\w*(Error|Exception|Interrupted|Interrupt|Exit|Iteration): .*")

FRAME = re.compile(r'File "([^"]+)", line (\d+), in ')
LIBRARIES = (
    "<",  # <frozen importlib._bootstrap>, <string>
    *(sysconfig.get_path(kind) + os.sep for kind in ("stdlib", "platstdlib", "purelib", "platlib")),
    str(Path(__file__).parent) + os.sep,
)
"""How the paths of code begin that is not the user's."""

OURS = "loopwright: "
TRACEBACK = "Traceback (most recent call last):"


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (a signal's is negative), what it wrote on stderr, how long it took."""

    code: int
    err: str
    seconds: float

    @property
    def raised(self) -> bool:
        """Whether an exception ended it that Loopwright did not turn into a message."""
        return self.code == LoopwrightError.exit_code and TRACEBACK in self.err.splitlines() and not self.ours

    @property
    def told(self) -> str:
        """What went wrong, and, where it is no message of ours, where in the user's code."""
        return f"{self.complaint} ({self.where})" if self.where and not self.ours else self.complaint

    @property
    def ours(self) -> bool:
        """Whether Loopwright has said what went wrong."""
        return any(line.startswith(OURS) for line in self.err.splitlines())

    @property
    def where(self) -> str:
        """File and line of the innermost frame of a traceback that is neither ours nor a library's, or ""."""
        own = [(path, line) for path, line in FRAME.findall(self.err) if not path.startswith(LIBRARIES)]
        return ":".join(own[-1]) if own else ""

    @property
    def complaint(self) -> str:
        """The line that says what went wrong: our own message, else the last exception, else the last line."""
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        ours = [line.removeprefix(OURS) for line in lines if line.startswith(OURS)]
        raised = [line for line in lines if EXCEPTION.fullmatch(line)]
        return [f"exit code {self.code}", *lines[-1:], *raised[-1:], *ours[-1:]][-1]


def run_process(
    command: Sequence[str],
    *,
    output: Path,
    environment: Mapping[str, str],
    limit: float,
    grace: float = 0.0,
    directory: Path | None = None,
    leashed: bool = False,
) -> Ended:
    """Run `command` in a session of its own, its stdout and stderr in `output.out` and `output.err`.

    `directory`: where it runs (here). `leashed`: it ends with this process, however that goes.
    However this is left, nothing of that session is left behind: what still runs gets SIGTERM and, after `grace`
    seconds, SIGKILL. Raises LoopwrightError after `limit` seconds.
    """
    start = time.monotonic()
    out, err = output.with_suffix(".out"), output.with_suffix(".err")
    with open(out, "wb") as stdout, open(err, "wb") as stderr, ExitStack() as ending:
        with undisturbed():
            # Files, not pipes: the end of a pipe comes when the last child of a killed process has let go of it.
            process = subprocess.Popen(
                [*LEASH, *command] if leashed else command,
                cwd=directory,
                stdin=subprocess.PIPE if leashed else subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env={**os.environ, **environment},
                start_new_session=True,
            )
            ending.callback(end_session, process, grace)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            what = f"{' '.join(command[1:4])} …"
            raise LoopwrightError(f"took longer than {limit:.0f} s, so it was ended: {what}") from None
    return Ended(code, err.read_text(encoding="utf-8", errors="replace"), time.monotonic() - start)


@contextmanager
def undisturbed() -> Iterator[None]:
    """A signal whose handler may raise waits until the end of what runs inside: no process is started and not noted."""
    numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    before = {number: handler for number in numbers if callable(handler := signal.getsignal(number))}
    came: list[int] = []
    for number in before:
        signal.signal(number, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for first in came[:1]:
        signal.raise_signal(first)


def end_session(process: subprocess.Popen[bytes], grace: float) -> None:
    """End what is left of a process's session: at once where the process itself is over."""
    try:
        if process.poll() is None and grace:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(grace)
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
