"""Data: in which order samples are seen, how they are split, padded and batched, and where they come from.

A task's `data` is most often `TensorData` (tensors in memory) or `DatasetData` (map-style datasets of any
kind). Transforms of images are in `loopwright.data.transforms`.
"""

from loopwright.data.buckets import bucketed
from loopwright.data.idx import find_idx, read_idx
from loopwright.data.loader import DatasetData
from loopwright.data.mnist import read_mnist
from loopwright.data.padding import attention_mask, causal_mask, loss_mask, pad
from loopwright.data.permutation import Permutation
from loopwright.data.sampling import order
from loopwright.data.sequences import SequenceData
from loopwright.data.splits import by_fraction, by_hash, by_time, deduplicate, stratified
from loopwright.data.table import Table, read_csv
from loopwright.data.tensors import TensorData, count
from loopwright.data.tokens import TokenFile, write_tokens

__all__ = [
    "DatasetData",
    "Permutation",
    "SequenceData",
    "Table",
    "TensorData",
    "TokenFile",
    "attention_mask",
    "bucketed",
    "by_fraction",
    "by_hash",
    "by_time",
    "causal_mask",
    "count",
    "deduplicate",
    "find_idx",
    "loss_mask",
    "order",
    "pad",
    "read_csv",
    "read_idx",
    "read_mnist",
    "stratified",
    "write_tokens",
]
