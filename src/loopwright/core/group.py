"""Several workers on one run: processes that `torchrun` has started, and how they add up what their shards leave.

The sum is a direct one: each worker gets its part of every node from all others (all-to-all), adds the parts up in the
fixed tree, and everybody gets all parts back (all-gather). With as many workers as a power of two, each of which holds
one node, that is the traffic of a ring all-reduce, 2 (N - 1) / N of the gradients' bytes sent by each worker (Thakur,
Rabenseifner and Gropp, "Optimization of collective communication operations in MPICH", IJHPCA 2005, section 4.5); any
other number works too, with at most twice log2(shards) nodes a worker.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch import distributed as dist
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from loopwright.bits import as_bytes
from loopwright.core.buckets import Bucket, buckets
from loopwright.core.parallel import ALONE, Add, Leaf, Workers
from loopwright.core.tree import Node, forest, root
from loopwright.errors import ConfigError, Interrupted, LoopwrightError, WorkerError
from loopwright.protocols import Worker

T = TypeVar("T")

SLOT_BYTES = 4096
"""What fits in here is exchanged in one message."""
PATIENCE = timedelta(days=7)
"""How long one waits for the others, who may be evaluating; that one is gone is noticed at once."""
GROUPS = count()
POLL_SECONDS = 0.02
GRACE = timedelta(seconds=2)
"""How long one who has failed waits for others who fail of the same."""


class Group:
    """The processes of `torch.distributed`, of which this one is `worker`.

    `store` is one that all of them reach. Raises WorkerError from any method where another worker is gone.
    """

    def __init__(self, worker: Worker, store: Store) -> None:
        self.worker = worker
        self.store = store
        self.sent_bytes = 0

    @staticmethod
    def join(store: Store, rank: int, size: int) -> Group:
        """Become the worker `rank` of `size`; returns when all have come."""
        use_loopback()
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        if torch.cuda.is_available():
            torch.cuda.set_device(  # pragma: no cover - needs CUDA
                int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count()
            )
        with others_there():
            dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE)
        return Group(Worker(rank, size), store)

    def exchange(self, fact: Any) -> list[Any]:
        """What each worker tells, through JSON, in the order of their ranks."""
        own, slot = json.dumps(fact).encode(), SLOT_BYTES
        while True:
            told = self.gather(framed(own, slot))
            lengths = [int.from_bytes(bytes(row[:8].tolist()), "little") for row in told]
            if max(lengths) + 8 <= slot:
                texts = [row[8 : 8 + length].numpy().tobytes() for row, length in zip(told, lengths, strict=True)]
                return [json.loads(text) for text in texts]
            slot = max(lengths) + 8

    def in_order(self, told: Sequence[Sequence[T]]) -> list[T]:
        """What was told for each worker's shards, in the order of the shards."""
        total = sum(len(items) for items in told)
        of: dict[int, T] = {}
        for rank, items in enumerate(told):
            of |= zip(self.other(rank).numbers(total), items, strict=True)
        return [of[number] for number in range(total)]

    def from_first(self, work: Callable[[], T]) -> T:
        """What `work` gives on the first worker, plain values; done there alone, told to all."""
        if self.worker.rank:
            told = self.exchange(None)[0]
            if "signal" in told:
                raise Interrupted("the first worker was interrupted", told["signal"])
            return told["result"]  # type: ignore[no-any-return]
        try:
            result = work()
        except Interrupted as stop:
            self.exchange({"signal": stop.exit_code - 128})
            raise
        self.exchange({"result": result})
        return result

    def from_model(self, work: Callable[[], T]) -> T:
        """What `work`, which runs the model, gives on the first worker, plain values; all do it that are strided."""
        return self.exchange(work())[0] if self.worker.strided else self.from_first(work)

    def combine(self, nodes: MutableMapping[Node, Leaf], total: int, like: Sequence[Tensor], add: Add) -> Leaf:
        """The sum over all `total` shards, of which `nodes` are this worker's; on every worker.

        Works on the memory of the nodes' sums in buckets; which tensors end up in a bucket changes no bit, since the
        tree is each element's own.
        """
        rows = list(nodes.values())
        nodes.clear()
        held = [forest(self.other(rank).numbers(total)) for rank in range(self.worker.size)]
        summed: Leaf = [None] * len(like)
        for bucket in buckets(like):
            flat = self.all_reduce([bucket.flat(row) for row in rows], held, total, bucket)
            for position, tensor in bucket.tensors(flat):
                summed[position] = tensor
        return summed

    def all_reduce(self, rows: Sequence[Tensor], held: Sequence[Sequence[Node]], total: int, bucket: Bucket) -> Tensor:
        """The root of the tree over all workers' nodes, each a flat row (width,); `held` says which node is whose."""
        size = self.worker.size
        part = -(-bucket.width // size)
        sending = bucket.empty(size, len(rows), part)
        for number, row in enumerate(rows):
            sending[:, number] = torch.nn.functional.pad(row, (0, part * size - bucket.width)).view(size, part)
        receiving = bucket.empty(sum(map(len, held)), part)
        counts = [len(of_rank) * part for of_rank in held]
        self.all_to_all(receiving, sending, counts)
        parts = dict(zip((node for of_rank in held for node in of_rank), receiving, strict=True))
        own = root(parts, total, torch.Tensor.add_)
        return self.gather(own).view(-1)[: bucket.width]

    def all_to_all(self, receiving: Tensor, sending: Tensor, counts: Sequence[int]) -> None:
        """Give each worker its part of `sending`, get `counts` elements from each."""
        to_each = sending.numel() // self.worker.size
        self.sent_bytes += to_each * (self.worker.size - 1) * sending.element_size()
        of = sending.element_size()
        with others_there():
            dist.all_to_all_single(
                as_bytes(receiving),
                as_bytes(sending),
                [count * of for count in counts],
                [to_each * of] * self.worker.size,
            )

    def gather(self, own: Tensor) -> Tensor:
        """The tensors (n,) of all workers as one (workers, n)."""
        told = own.new_empty(self.worker.size, len(own))
        self.sent_bytes += own.nbytes * (self.worker.size - 1)
        with others_there():
            dist.all_gather([as_bytes(row) for row in told], as_bytes(own))
        return told

    def other(self, rank: int) -> Worker:
        """Another worker of this group."""
        return Worker(rank, self.worker.size, self.worker.strided)

    def leave(self, patience: timedelta) -> None:
        """Return when all workers have come here: who closes the connections earlier takes the last message away.

        Raises WorkerError where one has not come after `patience`.
        """
        deadline = time.monotonic() + patience.total_seconds()
        with others_there():
            self.store.set(f"leaving {self.worker.rank}", "")
            # Asked again and again, since PyTorch's own wait warns on stderr where it ends without success.
            while not self.store.check([f"leaving {rank}" for rank in range(self.worker.size)]):
                if time.monotonic() > deadline:
                    raise WorkerError(f"not all workers have come to the end in {patience.total_seconds():g} s")
                time.sleep(POLL_SECONDS)

    def first_to_tell(self) -> bool:
        """Whether this worker is the first that has something to say of how the run ended.

        True for one of all, and for each where what they ask is gone: better said twice than not at all.
        """
        with suppress(RuntimeError):  # who kept the store may be gone
            return bool(self.store.add("told", 1) == 1)
        return True


def framed(text: bytes, slot: int) -> Tensor:
    """uint8 (slot,): the length of `text` and as much of it as there is room for."""
    frame = len(text).to_bytes(8, "little") + text
    return torch.frombuffer(bytearray(frame[:slot].ljust(slot, b"\0")), dtype=torch.uint8)


@contextmanager
def others_there() -> Iterator[None]:
    """What torch.distributed raises inside is raised as a WorkerError."""
    try:
        yield
    except RuntimeError as error:
        # "[file.cc:line] Connection closed by peer [address]. This is typically caused by …"
        reason = re.sub(r"^\[[^]]*\] ", "", str(error).strip()).partition(". ")[0].partition("\n")[0]
        raise WorkerError(f"a worker of this run is gone: {reason}") from error


def use_loopback() -> None:
    """Let workers that are all on this machine talk through its loopback; through a network's name some hang."""
    if os.environ.get("LOCAL_WORLD_SIZE") == os.environ.get("WORLD_SIZE"):
        names = [name for _, name in socket.if_nameindex() if name in ("lo", "lo0")]
        for name in names[:1]:
            os.environ.setdefault("GLOO_SOCKET_IFNAME", name)


@contextmanager
def joined() -> Iterator[Workers]:
    """The workers that `torchrun` has started this process with; without it, this process alone.

    Where something ends the run, one worker raises it; the others leave with the same exit code and without a word.
    """
    if os.environ.get("WORLD_SIZE", "") in ("", "1"):
        yield ALONE
        return
    try:
        with others_there():
            store, rank, size = next(rendezvous("env://", timeout=timedelta(minutes=10)))
    except ValueError as error:
        told = {name: os.environ.get(name) for name in ("WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT")}
        raise ConfigError(f"environment: {told} do not make a group; start with torchrun, or unset them") from error
    # What an earlier group has left in the launcher's store, of this process or of one before a restart, is not ours.
    attempt = f"{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}/{next(GROUPS)}"
    group = Group.join(PrefixStore(f"loopwright/{attempt}", store), rank, size)
    try:
        yield group
        group.leave(PATIENCE)
    except BaseException as error:
        first = group.first_to_tell()
        if not isinstance(error, WorkerError):
            with suppress(WorkerError):
                group.leave(GRACE)
        if first:
            raise
        if isinstance(error, SystemExit):
            raise
        raise SystemExit(error.exit_code if isinstance(error, LoopwrightError) else LoopwrightError.exit_code) from None
    finally:
        # NCCL waits for those who are gone.
        if not torch.cuda.is_available() or sys.exc_info()[0] is None:  # pragma: no branch - needs CUDA
            dist.destroy_process_group()
