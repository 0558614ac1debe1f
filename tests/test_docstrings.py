"""The examples in docstrings say what is so."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest

import loopwright

PACKAGE = Path(loopwright.__file__).parent
EXAMPLE = re.compile(r"^ +>>> (?!.*\+SKIP)", re.MULTILINE)
MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if EXAMPLE.search(path.read_text())]


def named(path: Path) -> str:
    return ".".join(("loopwright", *path.relative_to(PACKAGE).with_suffix("").parts))


@pytest.mark.parametrize("module", [named(path) for path in MODULES])
def test_every_example_gives_what_it_shows(module):
    found = doctest.testmod(importlib.import_module(module))
    assert found.attempted
    assert not found.failed
