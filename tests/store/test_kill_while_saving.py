from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from loopwright.store import CheckpointStore, newest_good


def test_a_kill_at_any_instant_of_a_save_leaves_only_whole_checkpoints(tmp_path):
    script = Path(__file__).with_name("saving_forever.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), "20"], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    half_written, step = map(int, done.stdout.split())
    assert half_written > 0  # some of the kills did hit a save
    assert newest_good(tmp_path).content["step"] == step >= 20
    with CheckpointStore(tmp_path):
        assert not list(tmp_path.glob(".*.tmp"))
