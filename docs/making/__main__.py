"""`python -m docs.making [DIR]`: build the documentation into build/docs, and check every link."""

from __future__ import annotations

import sys
from pathlib import Path

from docs.making.links import ROOT, broken, documents
from docs.making.pages import build


def main(arguments: list[str]) -> int:
    """Build, name what is broken; 1 where something is."""
    site = Path(arguments[0]) if arguments else ROOT / "build" / "docs"
    lost = [f"{path.relative_to(ROOT)}: {target}" for path in documents() for target in broken(path)]
    lost += build(site)
    for each in lost:
        print(f"leads nowhere: {each}", file=sys.stderr)
    print(site / "index.html")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
