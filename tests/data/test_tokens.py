from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

from loopwright.data.tokens import TokenFile, write_tokens
from loopwright.errors import DataError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "corpus.tokens"


@pytest.mark.parametrize(("vocab_size", "token_bytes"), [(65, 2), (65_536, 2), (65_537, 4), (200_000, 4)])
def test_tokens_come_back_as_they_were_written(path, vocab_size, token_bytes):
    tokens = [0, vocab_size - 1, 5, 7, 1]
    assert write_tokens(path, [tokens[:2], [], np.array(tokens[2:]), torch.tensor([3])], vocab_size, "chars") == 6
    file = TokenFile(path)
    assert (len(file), file.tokenizer, file.vocab_size) == (6, "chars", vocab_size)
    assert path.stat().st_size % 64 == 6 * token_bytes
    windows = file.windows(torch.tensor([0]), length=5)
    assert windows.dtype == torch.int64
    assert windows.tolist() == [[*tokens, 3]]


def test_windows_hold_one_token_more_than_their_length(path):
    write_tokens(path, [range(10)], 10, "digits")
    windows = TokenFile(path).windows(torch.tensor([7, 0, 7]), length=2)
    assert windows.tolist() == [[7, 8, 9], [0, 1, 2], [7, 8, 9]]


def test_windows_stay_right_when_the_file_is_mapped_anew(path):
    write_tokens(path, [np.arange(1000)], 1000, "numbers")
    file = TokenFile(path)
    first = file.windows(torch.tensor([5]), length=3)
    for start in range(600):
        assert file.windows(torch.tensor([start]), length=3)[0, 0] == start
    assert first.tolist() == [[5, 6, 7, 8]]


@pytest.mark.parametrize("starts", [[-1], [0, 8]])
def test_a_window_that_leaves_the_file_is_refused(path, starts):
    write_tokens(path, [range(10)], 10, "digits")
    with pytest.raises(DataError, match="with 10 tokens, a start must be from 0 to 7"):
        TokenFile(path).windows(torch.tensor(starts), length=2)


def test_an_empty_corpus_is_a_file_without_tokens(path):
    assert write_tokens(path, [], 10, "digits") == 0
    assert len(TokenFile(path)) == 0


def test_pickling_sends_the_path_and_not_the_tokens(path):
    write_tokens(path, [range(10_000)], 10_000, "numbers")
    sent = pickle.dumps(TokenFile(path))
    assert len(sent) < 1000
    assert pickle.loads(sent).windows(torch.tensor([9]), length=1).tolist() == [[9, 10]]


@pytest.mark.parametrize(
    ("chunk", "message"),
    [
        ([3, 10], "tokens from 3 to 10 after the first 2: the vocabulary of digits goes from 0 to 9"),
        ([-1], "tokens from -1 to -1"),
        ([0.5], "tokens of float64 after the first 2: they must be integers"),
    ],
)
def test_a_token_outside_the_vocabulary_is_refused_and_the_old_file_stays(path, chunk, message):
    write_tokens(path, [[1]], 10, "digits")
    with pytest.raises(DataError, match=message):
        write_tokens(path, [[1, 2], chunk], 10, "digits")
    assert len(TokenFile(path)) == 1


def test_an_interrupted_write_leaves_the_old_file(path):
    def torn():
        yield [1, 2, 3]
        raise KeyboardInterrupt

    write_tokens(path, [[1]], 10, "digits")
    with pytest.raises(KeyboardInterrupt):
        write_tokens(path, torn(), 10, "digits")
    assert len(TokenFile(path)) == 1


def damaged(path, change) -> None:
    write_tokens(path, [range(10)], 10, "digits")
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b[:-3], r"found \d+ bytes, expected \d+ for 10 tokens"),
        (lambda b: b + b"\0\0", r"found \d+ bytes, expected \d+ for 10 tokens"),
        (lambda b: b"PK" + b[2:], r"found b'PKTOKENS' at the start, expected b'LWTOKENS'"),
        (lambda b: b"", r"found b'' at the start"),
        (lambda b: b[:20], r"found b'LWTOKENS' at the start"),
        (lambda b: b[:8] + b"\2" + b[9:], r"found version 2 with 2 bytes a token, expected version 1"),
        (lambda b: b[:12] + b"\3" + b[13:], r"found version 1 with 3 bytes a token"),
        (lambda b: b[:28] + b"[" + b[29:], r"the header's JSON is damaged"),
    ],
)
def test_a_damaged_file_is_named_with_what_was_found_and_expected(path, change, message):
    damaged(path, change)
    with pytest.raises(DataError, match=message) as raised:
        TokenFile(path)
    assert str(path) in str(raised.value)


def test_a_missing_file_is_named(path):
    with pytest.raises(DataError, match="no such token file"):
        TokenFile(path)


READ_EVERYTHING = """
import sys
from pathlib import Path
import torch
from loopwright.data.tokens import TokenFile

def resident_kib():
    (line,) = (line for line in open("/proc/self/status") if line.startswith("VmRSS"))
    return int(line.split()[1])

file = TokenFile(Path(sys.argv[1]))
file.windows(torch.arange(8), 1024)
before, highest = resident_kib(), 0
for first in range(0, len(file) - 1025, 1024 * 16):
    file.windows(torch.arange(first, min(first + 1024 * 16, len(file) - 1025), 1024), 1024)
    highest = max(highest, resident_kib())
print(highest - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")
def test_memory_does_not_grow_with_the_file(path):
    piece = np.zeros(1 << 20, dtype=np.uint16)
    write_tokens(path, (piece for _ in range(32)), 10, "zeros")
    assert path.stat().st_size > 64 << 20
    command = [sys.executable, "-c", READ_EVERYTHING, str(path)]
    grown_kib = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert grown_kib < 24 << 10  # 16 MiB may be mapped at a time, of 64
