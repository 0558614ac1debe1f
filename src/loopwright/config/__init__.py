"""Configuration: frozen, nested dataclasses are the schema; TOML files and flags fill them.

Precedence is instance < file < flags, whatever the order of the arguments:

    overrides = overrides_from_file(read_toml(path), experiment)
    overrides = parse_flags(arguments, experiment, aliases={"lr": "optimizer.lr"}, base=overrides)
    experiment = apply(experiment, overrides)
"""

from loopwright.config.files import TomlFile, check_format, dumps, overrides_from_file, read_toml
from loopwright.config.flags import help_text, parse_flags
from loopwright.config.kinds import spell
from loopwright.config.schema import (
    NO_OVERRIDES,
    Leaf,
    Override,
    Overrides,
    apply,
    leaves,
    replace_at,
    to_dict,
)
from loopwright.config.values import coerce, split

__all__ = [
    "NO_OVERRIDES",
    "Leaf",
    "Override",
    "Overrides",
    "TomlFile",
    "apply",
    "check_format",
    "coerce",
    "dumps",
    "help_text",
    "leaves",
    "overrides_from_file",
    "parse_flags",
    "read_toml",
    "replace_at",
    "spell",
    "split",
    "to_dict",
]
