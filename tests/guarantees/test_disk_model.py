"""The model of a disk that the power failures are tried on."""

from __future__ import annotations

import os

from guarantees.disk import crashes, fates
from guarantees.recording import Inode, Mark, Names, Recording, Sync, Write

DIRECTORY, FILE = Inode("directory"), Inode("file")


def states(*events, files=2, cuts=9):
    """Each state as {name: content}, and what had been said before."""
    recording = Recording(list(events), [DIRECTORY, *[FILE] * files])
    found = []
    for crash in crashes(recording, cuts=cuts):
        contents = dict(crash.files)
        found.append(({name: contents[inode] for name, inode in crash.names}, crash.marks))
    return found


def test_an_unsynced_write_is_whole_absent_zeros_or_cut_at_a_sector():
    data = b"x" * 1300
    assert set(fates([Write(1, 0, data)], 1, cuts=9)) == {data, b"", bytes(1300), data[:512], data[:1024]}


def test_a_cut_is_at_a_sector_of_the_file_not_of_the_write():
    past = [Write(1, 0, b"a" * 500), Sync(1), Write(1, 500, b"b" * 20)]
    assert b"a" * 500 + b"b" * 12 in set(fates(past, 1, cuts=9))


def test_a_write_behind_one_that_is_lost_leaves_zeros_between():
    assert b"\0\0cd" in set(fates([Write(1, 0, b"ab"), Write(1, 2, b"cd")], 1, cuts=9))


def test_what_is_synced_is_whole():
    assert list(fates([Write(1, 0, b"ab"), Sync(1)], 1, cuts=9)) == [b"ab"]


def test_a_truncation_is_kept_or_not():
    past = [Write(1, 0, b"abcd"), Sync(1), Write(1, 2, None)]
    assert set(fates(past, 1, cuts=9)) == {b"ab", b"abcd"}


def test_too_many_writes_are_varied_one_at_a_time():
    past = [Write(1, 2 * number, b"ab") for number in range(20)]
    found = set(fates(past, 1, cuts=9))
    assert {b"ab" * count for count in range(21)} <= found
    assert len(found) < 100


def test_a_name_is_durable_when_its_directory_is_synced():
    created, said = Names((("a", 1),)), Mark("said")
    assert ({}, ("said",)) in states(created, said)
    assert {tuple(names) for names, marks in states(created, Sync(0), said) if marks} == {("a",)}


def test_a_sync_of_the_file_says_nothing_about_its_name():
    assert ({}, ("said",)) in states(Names((("a", 1),)), Write(1, 0, b"x"), Sync(1), Mark("said"))


def test_a_rename_is_there_as_a_whole_or_not_at_all():
    before = [Names((("a", 1),)), Write(1, 0, b"new"), Sync(1), Sync(0)]
    found = [names for names, marks in states(*before, Mark("on"), Names((("a", None), ("b", 1)))) if marks]
    assert found == [{"a": b"new"}, {"b": b"new"}]


def test_changes_of_names_are_kept_in_any_combination():
    base = [Names((("a", 1),)), Names((("b", 2),)), Sync(0), Mark("on")]
    found = [sorted(names) for names, marks in states(*base, Names((("a", None),)), Names((("b", None),))) if marks]
    assert sorted(found) == [[], ["a"], ["a", "b"], ["b"]]


def test_a_rename_without_an_fsync_before_is_found_out():
    """The mistake that every file format makes once: the name is there, the content is not."""
    torn = states(Names((("t", 1),)), Write(1, 0, b"new"), Names((("t", None), ("a", 1))), Sync(0), Mark("done"))
    assert ({"a": b""}, ("done",)) in torn


def test_what_lies_in_a_directory_that_is_lost_is_lost():
    recording = Recording([Names((("d", 1),)), Names((("d/a", 2),)), Sync(1), Mark("on")], [DIRECTORY, DIRECTORY, FILE])
    found = {tuple(name for name, _ in crash.names) for crash in crashes(recording, cuts=1) if crash.marks}
    assert found == {(), ("d", "d/a")}


def test_a_state_is_built_with_its_second_names_and_links(tmp_path):
    inodes = [DIRECTORY, DIRECTORY, FILE, Inode("link", "d/a")]
    events = [Names((("d", 1),)), Names((("d/a", 2),)), Write(2, 0, b"x"), Names((("d/b", 2),)), Names((("l", 3),))]
    last = list(crashes(Recording([*events, Sync(0), Sync(1), Sync(2), Mark("end")], inodes), cuts=1))[-1]
    last.build(tmp_path, inodes)
    assert (tmp_path / "l").read_bytes() == b"x"
    assert os.path.samefile(tmp_path / "d/a", tmp_path / "d/b")
