"""Findings as one page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loopwright.report.page import environment


def findings_page(content: Mapping[str, Any]) -> str:
    """The page of what `Doctor.summary` has, with the command that was watched."""
    return environment().get_template("findings.html.j2").render(**content)


def lab_page(content: Mapping[str, Any]) -> str:
    """The page of a fault lab."""
    return environment().get_template("lab.html.j2").render(**content)
