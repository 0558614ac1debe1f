from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from loopwright.errors import ConfigError, DataError
from loopwright.models.attention import Attention, visible
from loopwright.models.embedding import Embedding
from loopwright.models.heads import Heads
from loopwright.models.positions import Positions, positions
from loopwright.models.recurrent import Recurrent
from loopwright.models.transformer import Transformer
from loopwright.rerunning.capture import computed_maps
from loopwright.rerunning.trace import Watch

VOCABULARY, WIDTH, LONGEST = 6, 16, 12
LENGTHS = torch.tensor([12, 7, 2, 0])
TRANSFORMERS = ["none", "learned", "sinusoidal", "rotary", "random"]
RECURRENT = ["lstm", "gru"]


def made(kind: str, *, layers: int = 2, rank: int | None = None, tied: bool = True, dropout: float = 0.0) -> nn.Module:
    torch.manual_seed(0)
    embedding = Embedding(VOCABULARY, WIDTH, rank=rank)
    heads = Heads(embedding, classes=3, states=4, tied=tied)
    if kind in RECURRENT:
        return Recurrent(embedding, heads, cell=kind, layers=layers, dropout=dropout)
    placed = positions(kind, WIDTH, LONGEST, most=40, drawn=LONGEST)
    return Transformer(embedding, heads, placed, layers=layers, num_heads=4, dropout=dropout)


def batch() -> tuple[Tensor, Tensor]:
    """Tokens (4, 12), the last row nothing but padding, and their mask."""
    mask = torch.arange(LONGEST) < LENGTHS[:, None]
    tokens = torch.randint(1, VOCABULARY, (4, LONGEST), generator=torch.Generator().manual_seed(0))
    return tokens * mask, mask


@pytest.mark.parametrize("kind", TRANSFORMERS + RECURRENT)
def test_models_give_three_finite_logits_at_each_position(kind):
    model, (tokens, mask) = made(kind), batch()
    outputs = model(tokens, mask)
    assert [tuple(logits.shape) for logits in outputs] == [(4, 12, 6), (4, 12, 3), (4, 12, 4)]
    assert all(logits.isfinite().all() for logits in outputs)
    sum(logits.sum() for logits in outputs).backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize("kind", TRANSFORMERS + RECURRENT)
def test_what_stands_at_padding_changes_no_bit_of_the_real_positions(kind, mode):
    model, (tokens, mask) = made(kind).train(mode), batch()
    torch.manual_seed(1)
    expected = model(tokens, mask)
    for token in range(1, VOCABULARY):
        torch.manual_seed(1)
        found = model(tokens.masked_fill(~mask, token), mask)
        assert all(torch.equal(a[mask], b[mask]) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("kind", TRANSFORMERS + RECURRENT)
def test_no_gradient_comes_from_padding(kind):
    grads = []
    for token in (0, 3):
        model, (tokens, mask) = made(kind), batch()
        outputs = model(tokens.masked_fill(~mask, token), mask)
        sum(logits[mask].square().sum() for logits in outputs).backward()
        grads.append([parameter.grad for parameter in model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*grads, strict=True))


@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize("kind", TRANSFORMERS + RECURRENT)
def test_a_changed_token_changes_no_bit_before_it_and_something_from_it_on(kind, mode):
    model, mask = made(kind).train(mode), torch.ones(4, LONGEST, dtype=torch.bool)
    tokens = torch.randint(VOCABULARY, (4, LONGEST), generator=torch.Generator().manual_seed(0))
    torch.manual_seed(1)
    expected = model(tokens, mask)
    for place in range(LONGEST):
        changed = tokens.clone()
        changed[:, place] = (changed[:, place] + 1) % VOCABULARY
        torch.manual_seed(1)
        for a, b in zip(model(changed, mask), expected, strict=True):
            assert torch.equal(a[:, :place], b[:, :place])
            assert (a[:, place:] != b[:, place:]).any(-1).all()


@pytest.mark.parametrize("kind", TRANSFORMERS + RECURRENT)
def test_a_look_is_what_the_forward_pass_computes(kind):
    model, (tokens, mask) = made(kind, layers=3).eval(), batch()
    hidden, maps = model.look(tokens, mask)
    last = hidden[-1] if kind in RECURRENT else model.norm(hidden[-1])
    again = model.heads(last, model.embedding.table())
    assert hidden.shape == (4, 4, LONGEST, WIDTH)
    assert maps.shape == ((0, 4, 0, 12, 12) if kind in RECURRENT else (3, 4, 4, 12, 12))
    assert all(torch.equal(a, b) for a, b in zip(again, model(tokens, mask), strict=True))


@pytest.mark.parametrize("kind", TRANSFORMERS)
def test_maps_are_what_attention_mixes_with(kind):
    model, (tokens, mask) = made(kind).double().eval(), batch()
    hidden, maps = model.look(tokens, mask)
    torch.testing.assert_close(maps.sum(-1), torch.ones(2, 4, 4, 12, dtype=torch.float64), rtol=0, atol=1e-14)
    assert not maps.triu(1).any()
    assert not maps.masked_fill(mask[:, None, None, :] | torch.eye(12, dtype=torch.bool), 0).any()
    block = model.blocks[1]
    inputs = block.attention_norm(hidden[1])
    values = functional.linear(inputs, *(part.chunk(3)[2] for part in block.attention.query_key_value.parameters()))
    mixed = maps[1] @ values.unflatten(-1, (4, -1)).transpose(1, 2)
    expected = block.attention(inputs, visible(mask), model.positions.turn)
    found = block.attention.residual_out(mixed.transpose(1, 2).flatten(2))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)  # float64, another order of sums


def test_replay_sees_the_maps():
    model, (tokens, mask) = made("rotary").eval(), batch()
    watch = Watch()
    with computed_maps(watch):
        model(tokens, mask)
    for seen, expected in zip(watch.maps, model.look(tokens, mask).maps, strict=True):
        torch.testing.assert_close(seen.weights, expected, rtol=0, atol=1e-6)  # float32, another order of scaling


def test_attention_is_that_of_the_library():
    torch.manual_seed(0)
    ours, library = Attention(16, 4).double(), nn.MultiheadAttention(16, 4, batch_first=True, dtype=torch.float64)
    pairs = zip(ours.parameters(), library.parameters(), strict=True)
    for parameter, (name, other) in zip(ours.parameters(), library.named_parameters(), strict=True):
        assert parameter.shape == other.shape, name
    with torch.no_grad():
        for mine, theirs in pairs:
            mine.copy_(theirs)
    x, (_, mask) = torch.randn(4, 12, 16, dtype=torch.float64), batch()
    forbidden = ~visible(mask).expand(4, 4, 12, 12).reshape(16, 12, 12)
    expected, maps = library(x, x, x, attn_mask=forbidden, average_attn_weights=False)
    # float64 in another order of sums
    torch.testing.assert_close(ours(x, visible(mask), Positions().turn), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(ours.maps(x, visible(mask), Positions().turn), maps, rtol=0, atol=1e-12)


def test_a_position_sees_the_real_tokens_up_to_itself_and_always_itself():
    assert visible(torch.tensor([[True, True, False], [False, False, False]]))[:, 0].int().tolist() == [
        [[1, 0, 0], [1, 1, 0], [1, 1, 1]],
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    ]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("kind", "library"), [("lstm", nn.LSTM), ("gru", nn.GRU)])
def test_recurrent_layers_are_those_of_the_library(kind, library, layers):
    model, (tokens, mask) = made(kind, layers=layers), batch()
    whole = library(WIDTH, WIDTH, layers, batch_first=True)
    with torch.no_grad():
        for mine, theirs in zip(model.layers.parameters(), whole.parameters(), strict=True):
            theirs.copy_(mine)
    hidden, _ = model.look(tokens, mask)
    torch.testing.assert_close(whole(hidden[0])[0], hidden[-1], rtol=0, atol=1e-6)  # float32, another kernel


def test_a_factorized_table_is_the_product():
    embedding = Embedding(50, WIDTH, rank=3)
    assert [tuple(parameter.shape) for parameter in embedding.parameters()] == [(50, 3), (3, WIDTH)]
    assert torch.equal(embedding.table(), embedding.u @ embedding.v)
    tokens = torch.tensor([[4, 49], [0, 4]])
    assert torch.equal(embedding(tokens), 4.0 * (embedding.u @ embedding.v)[tokens])  # 4 = sqrt(WIDTH)


@pytest.mark.parametrize("rank", [None, 1, 8])
def test_a_new_table_has_the_same_spread_with_and_without_factors(rank):
    torch.manual_seed(0)
    spread = Embedding(2000, 512, rank=rank).table().std().item()
    assert spread == pytest.approx(0.02, rel=0.15)  # by chance: 512 columns of one factor


@pytest.mark.parametrize("rank", [None, 3])
def test_the_penalty_is_the_sum_of_absolute_entries_of_u(rank):
    embedding = Embedding(5, WIDTH, rank=rank)
    assert torch.equal(embedding.l1_u(), embedding.u.abs().sum())
    embedding.l1_u().backward()
    assert torch.equal(embedding.u.grad, embedding.u.sign())


@pytest.mark.parametrize("kind", ["none", "lstm"])
@pytest.mark.parametrize("rank", [None, 3])
def test_tied_weights_are_one_tensor(kind, rank):
    tied, free = made(kind, rank=rank), made(kind, rank=rank, tied=False)
    assert set(free.state_dict()) - set(tied.state_dict()) == {"heads.next_weight"}
    tokens, mask = batch()
    with torch.no_grad():
        tied.embedding.u[5] = 0
        free.embedding.u[5] = 0
    assert not tied(tokens, mask).next[..., 5].any()
    assert free(tokens, mask).next[..., 5].any()


@pytest.mark.parametrize("kind", TRANSFORMERS + RECURRENT)
def test_the_first_guess_is_near_chance(kind):
    model, (tokens, mask) = made(kind, rank=4), batch()
    for logits in model(tokens, mask):
        loss = -logits[mask].log_softmax(-1).mean()
        assert loss.item() == pytest.approx(torch.tensor(logits.shape[-1]).log().item(), rel=0.05)


@pytest.mark.parametrize("kind", ["sinusoidal", "lstm"])
def test_dropout_belongs_to_training_alone(kind):
    model, (tokens, mask) = made(kind, dropout=0.5), batch()
    assert not torch.equal(model(tokens, mask).next, model(tokens, mask).next)
    model.eval()
    assert torch.equal(model(tokens, mask).next, model(tokens, mask).next)


def test_dropout_is_on_the_embedded_tokens_and_on_what_each_branch_adds():
    model, (tokens, mask) = made("none", dropout=0.5), batch()
    hidden, _ = model.look(tokens, mask)
    assert 0.4 < (hidden[0] == 0).float().mean() < 0.6
    with torch.no_grad():
        for block in model.blocks:
            block.attention.residual_out.bias.fill_(1e6)
            block.residual_out.bias.fill_(1e3)
    added = model.look(tokens, mask).hidden.diff(dim=0)
    for large in (1e6, 1e3):  # kept: twice as large; dropped: no such part
        part = (added / (2 * large)).round()
        assert set(part.unique().tolist()) == {0.0, 1.0}
        added = added - part * 2 * large


def test_models_know_their_longest_sequence():
    assert [made(kind).longest for kind in TRANSFORMERS + RECURRENT] == [None, 12, 12, None, 12, None, None]
    tokens = torch.zeros(1, 13, dtype=torch.int64)
    with pytest.raises(DataError, match="a sequence of 13 tokens: the model's positions end at 12"):
        made("learned")(tokens, tokens == 0)


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ConfigError, match="width 10 for 4 heads: choose a multiple"):
        Attention(10, 4)
    with pytest.raises(ConfigError, match="cell 'gnu' is unknown: did you mean 'gru'"):
        Recurrent(Embedding(4, 4), Heads(Embedding(4, 4), classes=2, states=2), cell="gnu")


@pytest.mark.parametrize("kind", TRANSFORMERS + RECURRENT)
def test_models_learn_to_copy_the_token_before(kind):
    model = made(kind, layers=1 if kind in RECURRENT else 2)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    generator = torch.Generator().manual_seed(0)
    mask = torch.ones(32, 8, dtype=torch.bool)
    for _ in range(1000):
        tokens = torch.randint(VOCABULARY, (32, 8), generator=generator)
        logits = model(tokens, mask).next[:, 1:]
        loss = functional.cross_entropy(logits.flatten(0, 1), tokens[:, :-1].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss < 0.1:
            return
    pytest.fail(f"the loss is still {loss:.3f}")
