"""`--parallel fsdp`: each worker holds a part of every weight, gradient and moment (FSDP2, `fully_shard`), for models
that do not fit into one; with the bits of one worker.

In its j-th pass worker r of N computes shard jN + r, so in each pass the workers hold the gradients of N neighboring
shards. FSDP's reduce-scatter is replaced by one that adds these up in the tree of `core.tree`: with N a power of two
it gives the node (log2 N, j) of the very tree of one worker, and each worker joins its part of these nodes as one
worker joins leaves. Where a step ends with fewer shards than workers, the others add nothing. Norms are taken of whole
gradients, one at a time; optimizers see the parts through `core.windows`, which serves those whose rule is
element-wise. What is sharded and when: Zhao et al., "PyTorch FSDP: experiences on scaling fully sharded data parallel",
VLDB 2023.

The first weights are drawn in full, on every worker, on the CPU, which needs that much memory; they go to the device
block by block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.optim import Optimizer

from loopwright.bits import as_bytes
from loopwright.core.blocks import blocks, check_parameters
from loopwright.core.experiment import Experiment
from loopwright.core.gradients import ShardTree, Tree, add
from loopwright.core.group import Group, others_there
from loopwright.core.layout import WHOLE, Content, Layout
from loopwright.core.optimizers import trainable
from loopwright.core.parallel import Leaf, Workers
from loopwright.core.parts import OnParts
from loopwright.core.precision import Precision
from loopwright.core.totals import pairwise
from loopwright.core.tree import Node, join, root
from loopwright.core.windows import Held, Window
from loopwright.errors import ConfigError
from loopwright.protocols import Batch, Worker


def arranged(experiment: Experiment, workers: Workers) -> Workers:
    """`workers` as the experiment's `parallel` wants them: where they hold parts they take every N-th shard.

    Raises ConfigError where fsdp would not give the bits of one worker.
    """
    worker = workers.worker
    if experiment.parallel == "replicate" or worker.size == 1:
        return workers
    if worker.size.bit_count() > 1:
        raise ConfigError(
            f"parallel: fsdp on {worker.size} workers, whose number must be a power of two; "
            f"start {1 << worker.size.bit_length() - 1}, or set --parallel replicate"
        )
    return Group(replace(worker, strided=True), cast(Group, workers).store)


def layout_of(experiment: Experiment, workers: Workers) -> Layout:
    """Where the weights of a state on `workers` are; a new one for each state."""
    return Sharded(experiment, cast(Group, workers)) if workers.worker.strided else WHOLE


class Sharded:
    """Each worker of `group` holds a part of every weight of one state.

    `idle`: this worker has no shard in this pass, and runs one for the sake of the others, whose sums it is no part of.
    """

    def __init__(self, experiment: Experiment, group: Group) -> None:
        self.experiment = experiment
        self.group = group
        self.held: list[Held] = []
        self.idle = False

    def spread(self, model: nn.Module, device: torch.device) -> None:
        """Shard the model block by block; raises ConfigError for a parameter that cannot be."""
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        check_parameters(model)
        mesh = init_device_mesh(device.type, (self.group.worker.size,))
        places = {module: place or "the model" for place, module in model.named_modules()}
        for module in [*blocks(model), model]:
            # Resharded, so that no evaluation leaves a copy of the weights that the next one would read.
            wrapped = fully_shard(module, mesh=mesh, reshard_after_forward=True)
            wrapped.set_custom_all_gather(cast(Any, Gather(self, places[module])))
            wrapped.set_custom_reduce_scatter(cast(Any, Reduce(self, places[module])))
            wrapped.set_gradient_divide_factor(1.0)
            wrapped.set_force_sum_reduction_for_comms(True)  # the scaling sum that it takes else is NCCL's alone

    def bind(self, model: nn.Module, optimizer: Optimizer) -> tuple[list[nn.Parameter], Optimizer]:
        """Windows on this worker's parts."""
        parameters = trainable(model)
        self.held = [Held.of(local(parameter), self.window(parameter)) for parameter in parameters]
        windows = {id(parameter): held.parameter for parameter, held in zip(parameters, self.held, strict=True)}
        for group in optimizer.param_groups:
            group["params"] = [windows[id(parameter)] for parameter in group["params"]]
        return list(windows.values()), cast(Optimizer, OnParts(optimizer, self.held, self.saved))

    def tree(self, model: nn.Module, parameters: Sequence[nn.Parameter], total: int, workers: Workers) -> Tree:
        """Of parts of gradients."""
        return PassTree(self, model, total)

    def norms(self, parameters: Sequence[nn.Parameter]) -> Sequence[Tensor]:
        """One whole gradient at a time."""
        found = [(held, held.parameter.grad) for held in self.held if held.parameter.grad is not None]
        return [
            torch._foreach_norm([self.joined(held.window, held.window.inner(gradient))])[0] for held, gradient in found
        ]

    @cached_property
    def stand_in(self) -> Batch:
        """A shard to run where this worker has none of its own: the first of the first step."""
        plan = self.experiment.plan(Worker(0, self.experiment.shards))
        return next(iter(self.experiment.task.data.batches(plan, start=0)))[0]

    def run_idle(self, model: nn.Module) -> None:
        """A pass that leaves nothing: the other workers need this one's weights, and its part of their gradients."""
        precision = Precision(self.experiment.precision, torch.device(self.experiment.device))
        self.idle = True
        with precision.autocast():
            sums = self.experiment.task.loss(model, self.stand_in.to(precision.device))
            loss = pairwise(list(sums.values()))
        loss.backward()
        self.idle = False

    def window(self, tensor: Tensor) -> Window:
        """Which part of a tensor this worker has."""
        return Window(tensor.shape, self.group.worker.rank, self.group.worker.size)

    def joined(self, window: Window, part: Tensor) -> Tensor:
        """The whole tensor, of whose parts (n,) `part` is this worker's."""
        if not window.part:
            return part.new_empty(window.shape)
        padded = torch.nn.functional.pad(part, (0, window.part - len(part)))
        return self.group.gather(padded).view(-1)[: window.shape.numel()].view(window.shape)

    def whole(self, tensor: Tensor) -> Tensor:
        """A tensor of a model's `state_dict` in full, on every worker; buffers are."""
        return self.joined(self.window(tensor), local(tensor).reshape(-1)) if is_sharded(tensor) else tensor

    def gathered(self, content: Content) -> Content:
        """With whole tensors on the first worker's CPU; one at a time on the others."""
        for name, value in content.items():
            if is_sharded(value):
                content[name] = self.saved(self.window(value), local(value).reshape(-1))
        return content

    def saved(self, window: Window, part: Tensor) -> Tensor:
        """The whole tensor on the first worker's CPU, an empty one on the others."""
        whole = self.joined(window, part)
        return torch.empty(0) if self.group.worker.rank else whole.cpu()

    def parts(self, content: Any, own: Callable[[], Mapping[str, Any]]) -> Any:
        """Of whole tensors this worker's parts; what does not fit stays as it is."""
        if not isinstance(content, Mapping):
            return content
        like = own()
        return {name: self.part(value, like.get(name)) for name, value in content.items()}

    def part(self, whole: Any, like: Any) -> Any:
        """Of a whole tensor this worker's part, laid out as `like` is, where it is such a tensor."""
        from torch.distributed.tensor import DTensor

        if not is_sharded(like) or not isinstance(whole, Tensor) or whole.shape != like.shape:
            return whole
        own = local(like)
        part = self.window(like).cut(whole).view(own.shape).to(own.device)
        layout = {"device_mesh": like.device_mesh, "placements": like.placements}
        return DTensor.from_local(part, **layout, run_check=False, shape=like.shape, stride=like.stride())

    def meet(self, doing: str, fact: object) -> None:
        """Raise ConfigError where another worker is elsewhere: it would wait without end, or take wrong numbers."""
        told = self.group.exchange([doing, fact])
        for rank, other in enumerate(told):
            if other != told[0]:
                raise ConfigError(
                    "parallel: fsdp needs every shard to run the same modules; worker 0 is at "
                    f"{' '.join(map(str, told[0]))}, worker {rank} at {' '.join(map(str, other))}; "
                    "set --parallel replicate"
                )


class PassTree:
    """`ShardTree` for parts: joins what the workers' gradients of each pass have been added up to.

    Running statistics are whole on every worker, and each shard's leaf as ever.
    """

    def __init__(self, layout: Sharded, model: nn.Module, total: int) -> None:
        worker = layout.group.worker
        self.layout = layout
        self.model = model
        self.passes = -(-total // worker.size)
        self.idle = self.passes - len(worker.numbers(total))
        self.parameters = trainable(model)
        self.statistics = ShardTree(model, (), total, layout.group)
        self.nodes: dict[Node, Leaf] = {}

    def collect(self, number: int) -> None:
        """Take what the pass with shard `number` has left; to be called in the order of the numbers."""
        self.statistics.collect(number)
        self.take(number // self.layout.group.worker.size)

    def take(self, number: int) -> None:
        """Take this worker's part of the sum of all gradients of a pass."""
        if not all(map(is_sharded, self.model.parameters())):
            raise ConfigError(
                "parallel: fsdp was left with whole weights after a backward pass, as by a reentrant checkpoint, and "
                "its sums are not to be trusted; use checkpoints with use_reentrant=False, or set --parallel replicate"
            )
        leaf: Leaf = [None if parameter.grad is None else local(parameter.grad) for parameter in self.parameters]
        missing = [at for at, part in enumerate(leaf) if part is None]
        self.layout.meet("the end of the pass, without gradients of the parameters", missing)
        join(self.nodes, number, leaf, add)
        for parameter in self.parameters:
            parameter.grad = None

    def release(self) -> None:
        """Put this worker's part of the sum over all shards into the windows' `.grad`."""
        if self.idle:
            self.layout.run_idle(self.model)
            self.statistics.statistics.take()
            self.take(self.passes - 1)
        self.statistics.release()
        summed: Leaf = root(self.nodes, self.passes, add)
        for held, part in zip(self.layout.held, summed, strict=True):
            held.parameter.grad = None if part is None else held.window.widened(part.reshape(-1))


class Memory:
    """How FSDP gets the memory of a message."""

    def allocate(self, size: Sequence[int], *, dtype: torch.dtype, device: torch.device) -> Tensor:
        """Not initialized."""
        return torch.empty(size, dtype=dtype, device=device)


class Gather(Memory):
    """FSDP's all-gather for the module at `place`, once all workers are there."""

    def __init__(self, layout: Sharded, place: str) -> None:
        self.layout = layout
        self.place = place

    def __call__(self, output_tensor: Tensor, input_tensor: Tensor, group: dist.ProcessGroup, async_op: bool) -> None:
        """Put all workers' inputs into the output, of which this worker's is a part."""
        self.layout.meet("the weights of", self.place)
        parts = output_tensor.view(group.size(), -1)
        with others_there():
            dist.all_gather([as_bytes(part) for part in parts], as_bytes(input_tensor.clone()), group=group)


class Reduce(Memory):
    """Adds up the workers' gradients of the module at `place` in the order of the tree, each worker's part there."""

    def __init__(self, layout: Sharded, place: str) -> None:
        self.layout = layout
        self.place = place

    def __call__(
        self, output_tensor: Tensor, input_tensor: Tensor, group: dist.ProcessGroup, op: object, async_op: bool = False
    ) -> None:
        """Put this worker's part of the sum of all inputs into the output."""
        self.layout.meet("the gradients of", [self.place, input_tensor.numel()])
        if self.layout.idle:
            input_tensor.fill_(-0.0)  # x + -0.0 = x for every x
        received = torch.empty_like(input_tensor).view(group.size(), -1)
        self.layout.group.all_to_all(received, input_tensor, [len(output_tensor)] * group.size())
        parts = {(0, rank): part for rank, part in enumerate(received)}
        output_tensor.copy_(root(parts, group.size(), torch.Tensor.add_))


def is_sharded(value: Any) -> bool:
    """Whether `value` is a tensor of which this worker holds a part."""
    from torch.distributed.tensor import DTensor

    return isinstance(value, DTensor)


def local(tensor: Any) -> Tensor:
    """This worker's part of a sharded tensor, the very memory."""
    return cast(Tensor, tensor.detach().to_local())
