"""Watching any PyTorch program: a script as a whole, or a block of one's own code or notebook."""

from loopwright.watching.block import load_ipython_extension, unload_ipython_extension, watch
from loopwright.watching.script import Outcome, watch_script

__all__ = ["Outcome", "load_ipython_extension", "unload_ipython_extension", "watch", "watch_script"]
