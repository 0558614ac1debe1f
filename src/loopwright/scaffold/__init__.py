"""Projects of one's own, made from an experiment: its loop, model and data as files, and what to keep beside them."""

from loopwright.scaffold.gate import Item, check_project
from loopwright.scaffold.making import make_project
from loopwright.scaffold.origin import Origin, read_origin
from loopwright.scaffold.project import Source, named, obstacle_of, render
from loopwright.scaffold.updating import Change, Merged, compare_project, merge_project

__all__ = [
    "Change",
    "Item",
    "Merged",
    "Origin",
    "Source",
    "check_project",
    "compare_project",
    "make_project",
    "merge_project",
    "named",
    "obstacle_of",
    "read_origin",
    "render",
]
