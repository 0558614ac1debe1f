"""What the workers tell each other, with real processes."""

from __future__ import annotations

import os
import socket
import sys
import time
from datetime import timedelta

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from guarantees.forks import fork, wait
from loopwright.core.buckets import buckets
from loopwright.core.gradients import add
from loopwright.core.group import Group, joined, use_loopback
from loopwright.core.parallel import ALONE
from loopwright.core.tree import join, root
from loopwright.errors import ConfigError, Interrupted, UsageError, WorkerError
from loopwright.protocols import Worker
from tests.distributed.peers import among

KINDS = (torch.float32, torch.float64, torch.bfloat16)


def leaf(number: int) -> list[torch.Tensor | None]:
    """What shard `number` leaves: three dtypes, an empty tensor, -0.0, and tensors that some or all shards lack."""
    generator = torch.Generator().manual_seed(number)
    found: list[torch.Tensor | None] = [torch.randn(5, 3, generator=generator).to(kind) for kind in KINDS]
    odd = torch.randn(7, generator=generator) if number % 2 else None
    return [*found, torch.zeros(0), torch.full((4,), -0.0), odd, None]


LIKE = [
    *(torch.empty(5, 3, dtype=kind) for kind in KINDS),
    torch.empty(0),
    torch.empty(4),
    torch.empty(7),
    torch.empty(2),
]


def combined(workers, total: int) -> list[bytes | None]:
    nodes: dict = {}
    for number in workers.worker.numbers(total):
        join(nodes, number, leaf(number), add)
    summed = workers.combine(nodes, total, LIKE, add)
    return [None if tensor is None else tensor.view(-1).view(torch.uint8).numpy().tobytes() for tensor in summed]


@pytest.mark.parametrize("rank", [0, 1, 2])
@pytest.mark.parametrize("total", [1, 2, 5, 8])
def test_workers_add_up_to_the_bits_of_one(rank, total):
    assert among(rank, 3, lambda group: combined(group, total)) == combined(ALONE, total)


def test_one_worker_of_a_group_is_the_same_again():
    assert among(0, 1, lambda group: combined(group, 6)) == combined(ALONE, 6)


def test_strided_workers_add_up_to_the_same():
    def strided(group: Group) -> list[bytes | None]:
        group.worker = type(group.worker)(group.worker.rank, group.worker.size, strided=True)
        return combined(group, 7)

    assert among(1, 3, strided) == combined(ALONE, 7)


@pytest.mark.parametrize("size", [2, 4])
def test_a_power_of_two_of_workers_sends_what_a_ring_sends(size):
    def sent(group: Group) -> int:
        summed = group.combine(
            {(0, group.worker.rank): [torch.ones(1_000_000)]}, group.worker.size, [torch.empty(1_000_000)], add
        )
        assert summed[0] is not None
        assert summed[0].unique().tolist() == [group.worker.size]
        return group.sent_bytes

    assert among(0, size, sent) <= 2 * (size - 1) / size * 4_000_000 * 1.0001


@pytest.mark.parametrize("length", [1, 5_000, 100_000])
def test_whatever_is_told_arrives(length):
    def told(group: Group) -> list[object]:
        return group.exchange({"text": "ä" * length * group.worker.rank, "number": 0.1 + group.worker.rank})

    expected = [{"text": "", "number": 0.1}, {"text": "ä" * length, "number": 1.1}]
    assert among(0, 2, told) == expected == among(1, 2, told)


def test_what_is_told_of_shards_comes_in_their_order():
    def told(group: Group) -> list[int]:
        return group.in_order(group.exchange(list(group.worker.numbers(7))))

    assert among(2, 3, told) == list(range(7))


@pytest.mark.parametrize("rank", [0, 1])
def test_the_first_worker_does_it_for_all(rank):
    assert among(rank, 2, lambda group: group.from_first(lambda: {"pid": group.worker.rank})) == {"pid": 0}


@pytest.mark.parametrize("rank", [0, 1])
def test_an_interrupted_first_worker_interrupts_all(rank):
    def stopped(group: Group) -> int:
        def work() -> None:
            raise Interrupted("stop", 15)

        with pytest.raises(Interrupted) as caught:
            group.from_first(work)
        return caught.value.exit_code

    assert among(rank, 2, stopped) == 143


def test_a_worker_that_is_gone_is_an_error_and_one_of_the_others_tells():
    def left(group: Group) -> tuple[bool, bool]:
        with pytest.raises(WorkerError, match="a worker of this run is gone: "):
            [group.exchange("there?") for _ in range(100)]
        return group.first_to_tell(), group.first_to_tell()

    assert among(0, 2, left, lambda group: os._exit(1), code=1) == (True, False)


def test_an_error_in_another_worker_is_not_lost():
    with pytest.raises(AssertionError, match=r"the other workers ended with \[8\]"):
        among(0, 2, lambda group: None, lambda group: [][0], code=1)


@pytest.fixture
def torchrun(monkeypatch, tmp_path):
    """The environment that `torchrun` gives two workers, and a way to start one of them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    for name, value in told.items():
        monkeypatch.setenv(name, value)

    def start(rank: int, *each) -> int:
        def one() -> int:
            os.environ["RANK"] = str(rank)
            try:
                for work in each:
                    with joined() as workers:
                        work(workers)
            except UsageError:
                return 100
            except SystemExit as leaving:
                return leaving.code
            return 0

        return fork(one)

    return start


def fail(workers) -> None:
    workers.exchange("there?")
    raise UsageError("both of them find this")


def fail_alone(workers) -> None:
    if workers.worker.rank == 1:
        raise UsageError("one of them finds this")
    workers.exchange("there?")


def test_torchruns_workers_meet_and_leave_together(torchrun, monkeypatch):
    child = torchrun(1, lambda workers: workers.exchange("there?"))
    monkeypatch.setenv("RANK", "0")
    with joined() as workers:
        assert workers.worker == Worker(0, 2)
        assert workers.exchange("hello") == ["hello", "there?"]
    assert set(wait(child)) == {0}


@pytest.mark.parametrize("work", [fail, fail_alone])
def test_of_an_error_one_worker_speaks_and_the_others_leave_with_an_exit_code(torchrun, work):
    codes = set(wait(*[torchrun(rank, work) for rank in (0, 1)]))
    assert 100 in codes
    assert codes <= {100, 2, 3}
    assert len(codes) == 2


def test_in_this_process_an_error_is_raised_or_ends_it_silently(torchrun, monkeypatch):
    child = torchrun(1, fail)
    monkeypatch.setenv("RANK", "0")
    with pytest.raises((UsageError, SystemExit)) as caught, joined() as workers:
        fail(workers)
    codes = set(wait(child))
    assert codes == ({2} if caught.type is UsageError else {100})


def test_a_group_is_joined_once_more_in_the_same_process(torchrun, monkeypatch):
    child = torchrun(1, *[lambda workers: workers.exchange(0)] * 2)
    monkeypatch.setenv("RANK", "0")
    for _ in range(2):
        with joined() as workers:
            assert workers.exchange(1) == [1, 0]
    assert set(wait(child)) == {0}


def test_an_environment_without_a_launcher_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(ConfigError, match="do not make a group; start with torchrun, or unset them"), joined():
        pytest.fail("joined")


def test_a_task_that_exits_leaves_with_its_own_code(torchrun):
    assert set(wait(*(torchrun(rank, lambda workers: sys.exit(5)) for rank in (0, 1)))) == {5}


def test_without_torchrun_there_is_one_worker(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined() as workers:
        assert workers is ALONE


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(KINDS)), min_size=1, max_size=8), st.integers(1, 300))
def test_buckets_hold_every_tensor_once_and_give_it_back(shapes, limit):
    tensors = [torch.arange(float(n)).to(kind) for n, kind in shapes]
    found = buckets(tensors, limit)
    assert sorted(position for bucket in found for position in bucket.positions) == list(range(len(tensors)))
    for bucket in found:
        assert len(bucket.like) == 1 or sum(like.nbytes for like in bucket.like) <= limit
        for position, tensor in bucket.tensors(bucket.flat(tensors)):
            assert torch.equal(tensor, tensors[position])


def test_the_tree_of_nothing_but_gaps_keeps_none():
    nodes: dict = {}
    for number in range(3):
        join(nodes, number, [None], add)
    assert root(nodes, 3, add) == [None]


def test_who_leaves_before_the_others_have_come_is_told_so():
    def early(group: Group) -> str:
        with pytest.raises(WorkerError) as caught:
            group.leave(timedelta(seconds=0.05))
        return str(caught.value)

    assert among(0, 2, early, lambda group: time.sleep(0.5)) == "not all workers have come to the end in 0.05 s"


def test_each_tells_where_nobody_can_be_asked_who_was_first():
    class Gone:
        def add(self, key: str, amount: int) -> int:
            raise RuntimeError("connection lost")

    assert Group(Worker(0, 2), Gone()).first_to_tell()


def test_workers_on_several_machines_keep_their_network(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.delenv("GLOO_SOCKET_IFNAME", raising=False)
    use_loopback()
    assert "GLOO_SOCKET_IFNAME" not in os.environ


def exchange_and_raise(workers, error: BaseException) -> None:
    workers.exchange("there?")
    raise error


def tell(workers) -> None:
    workers.first_to_tell()
    workers.exchange("told")


@pytest.mark.parametrize(("error", "code"), [(UsageError("mine"), 2), (RuntimeError("mine"), 3), (SystemExit(5), 5)])
def test_who_is_not_the_first_to_tell_leaves_without_a_word(torchrun, monkeypatch, error, code):
    child = torchrun(1, tell)
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(SystemExit) as caught, joined() as workers:
        exchange_and_raise(workers, error)
    assert caught.value.code == code
    assert set(wait(child)) == {0}


def test_the_first_to_tell_raises(torchrun, monkeypatch):
    child = torchrun(1, lambda workers: workers.exchange("there?"))
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(UsageError, match="mine"), joined() as workers:
        exchange_and_raise(workers, UsageError("mine"))
    assert set(wait(child)) == {0}


def test_a_lost_worker_is_told_without_waiting_for_it(torchrun, monkeypatch):
    child = torchrun(1, lambda workers: os._exit(7))
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(WorkerError, match="is gone"), joined() as workers:
        [workers.exchange("there?") for _ in range(100)]
    assert set(wait(child)) == {7}
