"""`python -m docs.making.screenshots`: pictures of a report, a comparison and a post-mortem, by a headless Chromium.

They are taken of runs that are made for it, so that they show what the present version makes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from docs.making.links import ROOT

FOLDER = ROOT / "docs" / "pictures"
RUNS = (
    "train digits-cnn --quiet",
    "train digits-cnn --lr 0.0005 --quiet",
    "train points --quiet",
    "train points --optimizer SGD --optimizer.lr 1e5 --schedule Constant --clip-norm 0 --quiet",
    "break points --fault diverge no-zero-grad double-softmax --seeds 5 --steps 100",
    "compare runs/digits-cnn/001 runs/digits-cnn/002 --quiet",
    "postmortem runs/points/002",
)
SHOTS = {
    "report": ("runs/digits-cnn/001/report.html", 1340),
    "compare": ("runs/comparisons/001/report.html", 1500),
    "postmortem": ("runs/points/002/postmortem.html", 1500),
}
WIDTH = 1000


def main() -> int:
    """Train, photograph; 1 where there is no browser."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        print("no Chromium on this machine; the screenshots stay as they are", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for line in RUNS:
            # A run that fails is one of those that are wanted.
            subprocess.run([sys.executable, "-m", "loopwright", *line.split()], cwd=folder, capture_output=True)
        for name, (page, height) in SHOTS.items():
            take(browser, Path(folder) / page, FOLDER / f"{name}.png", height)
    print(FOLDER)
    return 0


def take(browser: str, page: Path, picture: Path, height: int) -> None:
    """A picture of the upper part of a page."""
    size, target = f"--window-size={WIDTH},{height}", f"--screenshot={picture}"
    flags = ["--headless", "--no-sandbox", "--hide-scrollbars", "--virtual-time-budget=2000"]
    subprocess.run([browser, *flags, size, target, page.as_uri()], check=True, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
