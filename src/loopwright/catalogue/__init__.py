"""All the runs there are: listed through an index that can be deleted at any time, filtered, grouped, pruned.

`entries(root)` lists them; `loopwright.labels` reads and writes what people say of a run.
"""

from loopwright.catalogue.entries import Entry
from loopwright.catalogue.index import entries

__all__ = ["Entry", "entries"]
