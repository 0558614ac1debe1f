"""argparse with errors like all our others: one line, the nearest name, exit code 2, no usage dump."""

from __future__ import annotations

import argparse
import re
from typing import NoReturn

from loopwright.errors import UsageError, nearest


class Parser(argparse.ArgumentParser):
    """Raises UsageError instead of printing the usage and exiting."""

    def error(self, message: str) -> NoReturn:
        """Called by argparse for every error."""
        raise UsageError(f"{self.prog}: {message}; {self.prog} --help shows how it is called")

    def parse_all(self, arguments: list[str]) -> argparse.Namespace:
        """Parse; an unknown flag is answered with the nearest one."""
        parsed, unknown = self.parse_known_args(arguments)
        if unknown:
            known = set(re.findall(r"--[a-z-]+", self.format_help()))
            raise UsageError(f"{self.prog}: {unknown[0]!r} is not known, {nearest(unknown[0], known)}")
        return parsed


def parser(verb: str, description: str, usage: str | None = None) -> Parser:
    """A parser for a verb."""
    return Parser(
        prog=f"loopwright {verb}",
        usage=usage,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
