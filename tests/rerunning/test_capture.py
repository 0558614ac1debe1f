from __future__ import annotations

import json

import pytest
import torch
from torch import nn
from torch.nn import functional

from loopwright.errors import UsageError
from loopwright.rerunning.capture import attention_weights, everything, is_map, library_map
from loopwright.rerunning.keeping import draw, free_directory, keep, labels
from loopwright.rerunning.replay import replay
from loopwright.rerunning.trace import AttentionMap
from tests.rerunning.making import files, trained

pytestmark = pytest.mark.usefixtures("in_the_repository")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained("attentive", tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def captured(run, tmp_path_factory):
    """A replay of step 5 with everything captured, the directory and its index."""
    done, directory = replay(run, 5, watching=everything), tmp_path_factory.mktemp("captured") / "new"
    keep(done.trace, directory)
    return done, directory, json.loads((directory / "index.json").read_text())


def kept(directory, entry):
    return torch.load(directory / entry["file"], weights_only=True)["tensors"][entry["key"]]


def test_capturing_changes_no_bit(run, captured):
    done, _, _ = captured
    assert done.equal
    without = replay(run, 5)
    assert all(torch.equal(without.trace.after[name], tensor) for name, tensor in done.trace.after.items())


def test_every_module_is_in_the_index_for_each_shard(captured):
    _, directory, index = captured
    outputs = [entry for entry in index["entries"] if entry["kind"] != "attention map"]
    modules = {"embed", "library", "weighed", "explicit", "head", "the model"}
    for shard in (0, 1):
        assert modules <= {entry["module"] for entry in outputs if entry["shard"] == shard}
    head = next(entry for entry in outputs if entry["module"] == "head")
    tensor = kept(directory, head)
    assert list(tensor.shape) == head["shape"] == [4, 2]
    assert head["dtype"] == "float32"
    assert head["min"] == tensor.min().item()
    assert head["max"] == tensor.max().item()
    assert head["mean"] == tensor.double().mean().item()
    assert head["zeros"] == head["not_finite"] == 0.0


def test_outputs_are_those_of_the_modules(captured):
    done, directory, index = captured
    entry = next(entry for entry in index["entries"] if entry["module"] == "embed" and entry["shard"] == 1)
    weight, bias = done.trace.before["model.embed.weight"], done.trace.before["model.embed.bias"]
    given = done.trace.shards[1]["x"].unsqueeze(-1)
    assert torch.equal(kept(directory, entry), functional.linear(given, weight, bias))


def test_attention_maps_exist_for_every_kind_of_attention(captured):
    _, directory, index = captured
    maps = [entry for entry in index["entries"] if entry["kind"] == "attention map"]
    for shard in (0, 1):
        found = [entry["module"] for entry in maps if entry["shard"] == shard]
        assert found == ["library", "weighed", "explicit", "the model"]
    for entry in maps:
        weights = kept(directory, entry)
        heads = {"library": 2, "weighed": 1, "explicit": 2, "the model": 1}[entry["module"]]
        assert weights.shape == (4, heads, 4, 4), entry["module"]
        assert torch.allclose(weights.sum(-1), torch.ones(4, heads, 4), atol=1e-6)  # fp32's softmax
    causal = kept(directory, maps[3])
    assert bool((causal.triu(1) == 0).all())


def test_the_index_says_which_maps_are_means_over_heads(captured):
    done, _, index = captured
    told = {entry["module"]: entry for entry in index["entries"] if entry["kind"] == "attention map"}
    assert {name: entry["averaged"] for name, entry in told.items()} == {
        "library": False,
        "weighed": True,
        "explicit": False,
        "the model": False,
    }
    assert told["weighed"]["mean_of_heads"] == 2
    assert [labels(found) for found in done.trace.maps[:2]] == [["head 0", "head 1"], ["mean of 2 heads"]]


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("averaged", [True, False])
def test_what_multihead_attention_returns_is_told_apart_by_its_dimensions(batched, averaged):
    module, x = nn.MultiheadAttention(8, 2, batch_first=True), torch.randn(3, 5, 8)
    given = x if batched else x[0]
    (found,) = library_map("attention", 0, module, *module(given, given, given, average_attn_weights=averaged))
    assert found.weights.shape == (3 if batched else 1, 1 if averaged else 2, 5, 5)
    assert found.mean_of == (2 if averaged else 1)


def test_there_is_a_picture_of_each_set_of_maps(captured):
    _, directory, index = captured
    pictures = [entry["picture"] for entry in index["entries"] if "picture" in entry]
    assert len(pictures) == 4
    for name in pictures:
        assert (directory / name).read_bytes().startswith(b"\x89PNG")
        assert (directory / name).stat().st_size < 30_000


@pytest.mark.parametrize("case", ["plain", "causal", "boolean", "float", "scale", "gqa"])
def test_recomputed_weights_are_those_that_the_kernel_used(case):
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(2, 4, 5, 8, generator=generator)
    key, value = (torch.randn(2, 2 if case == "gqa" else 4, 5, 8, generator=generator) for _ in range(2))
    named = {
        "plain": {},
        "causal": {"is_causal": True},
        "boolean": {"attn_mask": torch.ones(5, 5, dtype=torch.bool).tril()},
        "float": {"attn_mask": torch.randn(5, 5, generator=generator)},
        "scale": {"scale": 0.3},
        "gqa": {"enable_gqa": True},
    }[case]
    result = functional.scaled_dot_product_attention(query, key, value, **named)
    repeated = value.repeat_interleave(4 // value.shape[1], 1)
    assert torch.allclose(attention_weights(query, key, **named) @ repeated, result, atol=1e-5)  # another order of sums


def test_what_looks_like_a_map_is_told_from_what_does_not():
    rows = torch.rand(1, 2, 3, 3).softmax(-1)
    assert is_map(rows)
    assert is_map(rows.bfloat16())
    assert not is_map(rows[0])
    assert not is_map(2 * rows)
    assert not is_map(torch.tensor([[[[2.0, -1.0]]]]))
    assert not is_map(None)


def test_a_module_that_is_called_twice_keeps_both_outputs(tmp_path):
    run = trained("twice", tmp_path)
    keep(replay(run, 2, watching=everything).trace, tmp_path / "captured")
    index = json.loads((tmp_path / "captured/index.json").read_text())
    keys = [entry["key"] for entry in index["entries"] if entry["module"] == "layer"]
    assert keys == ["layer", "layer#2"]


def test_what_a_backward_pass_computes_again_is_not_taken_for_a_call(tmp_path):
    trace = replay(trained("recomputed", tmp_path), 2, watching=everything).trace
    names = ("layer.0", "layer.1", "layer.2", "layer", "head", "the model")
    assert [(found.module, found.shard) for found in trace.maps] == [("layer.1", 0), ("layer.1", 1)]
    assert [call.place for call in trace.calls] == [(name, shard) for shard in (0, 1) for name in names]


def test_a_directory_that_holds_something_is_never_written_to(run, tmp_path):
    assert free_directory(tmp_path / "new", run) == tmp_path / "new"
    assert free_directory(tmp_path, run) == tmp_path
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(UsageError, match="is not empty, nothing is overwritten"):
        free_directory(tmp_path, run)
    with pytest.raises(UsageError, match="is not empty, nothing is overwritten"):
        free_directory(tmp_path / "mine", run)
    before = files(run)
    with pytest.raises(UsageError, match="lies in the run"):
        free_directory(run / "captured", run)
    assert files(run) == before


def test_the_function_that_is_watched_is_put_back(run):
    before = functional.scaled_dot_product_attention
    replay(run, 1, watching=everything)
    assert functional.scaled_dot_product_attention is before
    assert nn.functional.scaled_dot_product_attention is before


def test_a_head_that_is_finite_is_drawn_beside_one_that_is_not(tmp_path):
    weights = torch.full((1, 2, 3, 3), float("nan"))
    draw(AttentionMap("m", 0, weights), tmp_path / "none.png")
    weights[0, 0] = torch.eye(3)
    draw(AttentionMap("m", 0, weights), tmp_path / "one.png")
    assert (tmp_path / "one.png").read_bytes() != (tmp_path / "none.png").read_bytes()
