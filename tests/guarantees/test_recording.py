"""What strace says of a process becomes events on inodes and names."""

from __future__ import annotations

import pytest

from guarantees.recording import Mark, Names, Sync, TraceReader, Write, finished_calls


def quoted(text: str) -> str:
    """A text as `strace -xx` writes it."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in text.encode()) + '"'


def events(*calls: str) -> list[object]:
    """The events of some calls on files below /place; each stands in a thread of its own unless it names one."""
    reader = TraceReader("/place")
    for call in finished_calls("\n".join(f"1 {call}" if not call[0].isdigit() else call for call in calls)):
        reader.read(*call)
    return reader.events


CREATED = f"openat(AT_FDCWD, {quoted('/place/a')}, O_WRONLY|O_CREAT|O_EXCL, 0666) = 3"


def test_a_file_that_is_written_synced_and_renamed():
    rename = f"rename({quoted('/place/a')}, {quoted('/place/b')}) = 0"
    found = events(CREATED, f"write(3, {quoted('xyz')}, 3) = 3", "fsync(3) = 0", "close(3) = 0", rename)
    assert found == [Names((("a", 1),)), Write(1, 0, b"xyz"), Sync(1), Names((("a", None), ("b", 1)))]


def test_a_write_that_was_cut_short_counts_as_far_as_it_went():
    found = events(CREATED, f"write(3, {quoted('xyz')}, 3) = 2", f"write(3, {quoted('z')}, 1) = 1")
    assert found[1:] == [Write(1, 0, b"xy"), Write(1, 2, b"z")]


def test_what_is_appended_goes_to_the_end_wherever_the_position_is():
    append = f"openat(AT_FDCWD, {quoted('/place/a')}, O_WRONLY|O_CREAT|O_APPEND, 0666) = 4"
    found = events(CREATED, f"write(3, {quoted('xy')}, 2) = 2", append, f"write(4, {quoted('z')}, 1) = 1")
    assert found[2] == Write(1, 2, b"z")


def test_calls_that_were_refused_and_files_elsewhere_are_left_out():
    elsewhere = f"openat(AT_FDCWD, {quoted('/elsewhere/a')}, O_WRONLY|O_CREAT, 0666) = 3"
    refused = f"unlink({quoted('/place/a')}) = -1 ENOENT (No such file or directory)"
    assert events(elsewhere, f"write(3, {quoted('x')}, 1) = 1", refused) == []


def test_a_call_that_another_thread_interrupts_is_read_where_it_ends():
    clone = "1 clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0}, 88) = 2"
    begun = CREATED.replace(") = 3", " <unfinished ...>")
    found = events(clone, "2 " + begun, f"1 mkdir({quoted('/place/d')}, 0777) = 0", "2 <... openat resumed>) = 3")
    assert found == [Names((("d", 1),)), Names((("a", 2),))]


def test_programs_that_are_started_do_not_count():
    assert events("1 clone3({flags=CLONE_VM|CLONE_VFORK}, 88) = 2", "2 " + CREATED) == []


def test_what_the_work_says_stands_among_its_calls():
    said = f"access({quoted('/marked/saved 2')}, F_OK) = -1 ENOENT (No such file or directory)"
    assert events(CREATED, said) == [Names((("a", 1),)), Mark("saved 2")]


@pytest.mark.parametrize("call", ["ftruncate(3, 1) = 0", f"truncate({quoted('/place/a')}, 1) = 0"])
def test_a_file_that_is_cut(call):
    found = events(CREATED, f"write(3, {quoted('xy')}, 2) = 2", call)
    assert found[2] == Write(1, 1, None)
