from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize(("scenario", "at_least"), [("store", 150), ("journal", 70)])
def test_a_kill_or_a_refusal_at_any_system_call_loses_nothing(tmp_path, scenario, at_least):
    script = Path(__file__).with_name("failing_calls.py")
    done = subprocess.run(
        [sys.executable, str(script), scenario, str(tmp_path)], capture_output=True, text=True, check=False
    )
    if "strace may not attach" in done.stderr:
        pytest.skip("strace may not attach here")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= at_least
