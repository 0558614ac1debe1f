"""What the doctor says of a program: lines on stderr as things are found, and files in a directory."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from loopwright.doctor.doctor import Doctor
from loopwright.doctor.finding import Finding, ranked
from loopwright.errors import StoreError, counted, printable, some
from loopwright.files import check_ours, make_directory, write_text
from loopwright.lines import finite
from loopwright.report.findings import findings_page

PREFIX = "loopwright: "
VERB = "watch"
SHOWN = 4
"""So many names of what was not checked, for each reason."""


class Telling:
    """Tells findings on `stream`, and keeps `findings.json` and `findings.html` in `directory` where there is one.

    A directory that cannot be written is said once, and the program goes on. Raises RunError, before it begins, where
    findings are there that are not ours: a run's own, say.
    """

    def __init__(self, directory: Path | None, command: Sequence[str], stream: TextIO | None = None) -> None:
        self.directory = directory
        self.command = shlex.join(command)
        self.stream = stream if stream is not None else sys.stderr
        self.findings: list[Finding] = []
        self.began = time.time()
        if directory is not None:
            for name in ("findings.json", "findings.html"):
                check_ours(directory / name, VERB, "choose another directory")
            make_directory(directory)

    def finding(self, finding: Finding) -> None:
        """One was found: say so, and keep it at once."""
        self.findings.append(finding)
        if finding.serious:
            self.say(finding.text())
        self.keep({"command": self.command, "findings": [one.as_dict() for one in ranked(self.findings)]})

    def end(self, doctor: Doctor) -> None:
        """The program is over: what is the verdict, and what was not checked?"""
        summary = doctor.summary()
        program = doctor.scene.program
        serious = [one for one in doctor.ranked if one.serious]
        if program.count == 0:
            self.say(
                f"no training was seen: {program.backwards} backward passes, no optimizer step"
                + ("" if program.calls else ", no model called")
            )
        elif serious:
            first = serious[0]
            self.say(f"most probable cause: {first.cause}: {first.wrong}; fix: {first.fix}")
        else:
            looked = "the first and some later ones were looked at"
            phases = f"{counted(len(program.phases), 'validation')} or other phases"
            self.say(f"nothing wrong was found: {counted(program.count, 'step')}, {looked}; {phases}")
        for part, failure in summary["failures"].items():
            self.say(f"the doctor's own part {part!r} failed and was switched off: {failure}")
        if program.compiled:
            self.say("torch.compile was used: what happens inside of compiled modules was not checked")
        missing = [f"{why}: {some(causes, SHOWN)}" for why, causes in summary["not_checked"].items()]
        more = "" if self.directory else " (all names: --report DIR)"
        self.say(f"not checked{more}:\n  " + "\n  ".join(missing))
        self.keep({"command": self.command, "seconds": time.time() - self.began, **summary}, page=True)

    def say(self, text: str) -> None:
        """A message, each line marked."""
        lines = printable(text).splitlines()
        self.stream.write("".join(f"{PREFIX}{line}\n" for line in lines))
        self.stream.flush()

    def keep(self, content: dict[str, Any], *, page: bool = False) -> None:
        """Write what is known so far."""
        if self.directory is None:
            return
        try:
            content = {"made_by": f"loopwright {VERB}", **content}
            write_text(self.directory / "findings.json", json.dumps(finite(content), indent=2) + "\n")
            if page:
                write_text(self.directory / "findings.html", findings_page(content))
        except StoreError as error:
            self.directory = None
            self.say(f"{error}; the findings are told here only")
