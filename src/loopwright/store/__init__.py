"""Checkpoints: atomic, durable, digested; last, best and kept ones; exact restore."""

from loopwright.store.checkpoints import CheckpointStore, Found, newest_good, read_saved
from loopwright.store.format import read_checkpoint, write_checkpoint
from loopwright.store.public import load_checkpoint, save_checkpoint

__all__ = [
    "CheckpointStore",
    "Found",
    "load_checkpoint",
    "newest_good",
    "read_checkpoint",
    "read_saved",
    "save_checkpoint",
    "write_checkpoint",
]
