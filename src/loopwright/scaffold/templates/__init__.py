"""Our templates, found in the package: `NAME.j2` beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

FILES = Environment(
    loader=PackageLoader("loopwright.scaffold"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,
)


def quoted(text: str) -> str:
    """`text` as it may stand in a docstring."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


FILES.filters["quoted"] = quoted


def there_is(name: str) -> bool:
    """Whether there is a template of that name."""
    return f"{name}.j2" in FILES.list_templates()


def fill(name: str, about: Mapping[str, object]) -> str:
    """A template, filled."""
    return FILES.get_template(f"{name}.j2").render(**about)


def settings_of(name: str, variable: str, about: Mapping[str, object]) -> Any:
    """The value of a variable that a template sets."""
    return getattr(FILES.get_template(f"{name}.j2").make_module(dict(about)), variable)
