"""Tiny programs with one mistake each, and their healthy twins: each trains a few steps of its own plain loop."""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

Program = Callable[[bool], None]
"""Called with whether it is to be broken."""

X = torch.randn(256, 10, generator=torch.Generator().manual_seed(1))
Y = (X[:, 0] * X[:, 1] > 0).long()
LOOSE = torch.randn(128, 10, generator=torch.Generator().manual_seed(2))
TOKENS = torch.randint(0, 3, (64, 17), generator=torch.Generator().manual_seed(3)).cumsum(1) % 12
"""Of which each tells something of the next one."""


def net(dropout: float = 0.0) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(10, 32), nn.ReLU(), nn.Dropout(dropout), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 2)
    )


def batches(steps: int, size: int = 32):
    generator = torch.Generator().manual_seed(4)
    order = torch.cat([torch.randperm(len(X), generator=generator) for _ in range(1 + steps * size // len(X))])
    return [order[i * size : (i + 1) * size] for i in range(steps)]


def loop(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 12, loss: str = "cross_entropy") -> None:
    model.train()
    for rows in batches(steps):
        optimizer.zero_grad()
        getattr(F, loss)(model(X[rows]), Y[rows]).backward()
        optimizer.step()


def no_zero_grad(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for rows in batches(6):
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        optimizer.step()
        if not broken:
            optimizer.zero_grad()


def zero_before_step(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for rows in batches(6):
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        if broken:
            model.zero_grad()
        optimizer.step()


def no_step(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for rows in batches(20):
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        if not broken:
            optimizer.step()


def clip_after_step(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for rows in batches(6):
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        if not broken:
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if broken:
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)


def clip_too_low(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for rows in batches(12):
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1e-4 if broken else 1.0)
        optimizer.step()


def undivided_accumulation(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    for number, rows in enumerate(batches(24)):
        loss = F.cross_entropy(model(X[rows]), Y[rows])
        (loss if broken else loss / 4).backward()
        if number % 4 == 3:
            optimizer.step()
            optimizer.zero_grad()


def double_softmax(broken: bool) -> None:
    model = nn.Sequential(net(), nn.Softmax(dim=1)) if broken else net()
    loop(model, torch.optim.Adam(model.parameters(), lr=1e-3))


def final_activation(broken: bool) -> None:
    model = nn.Sequential(net(), nn.ReLU()) if broken else net()
    loop(model, torch.optim.Adam(model.parameters(), lr=1e-3))


def wrong_loss(broken: bool) -> None:
    model = net() if broken else nn.Sequential(net(), nn.LogSoftmax(dim=1))
    loop(model, torch.optim.Adam(model.parameters(), lr=1e-3), loss="nll_loss")


def target_broadcast(broken: bool) -> None:
    model, y = nn.Linear(10, 1), X[:, 0] + 0.5
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    for rows in batches(6):
        optimizer.zero_grad()
        prediction = model(X[rows])
        ((prediction - y[rows]) ** 2 if broken else (prediction - y[rows, None]) ** 2).mean().backward()
        optimizer.step()


def train_mode_missing(broken: bool) -> None:
    model = net(0.3)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    stream = batches(15)
    for epoch in range(3):
        if not broken:
            model.train()
        for rows in stream[5 * epoch : 5 * epoch + 5]:
            optimizer.zero_grad()
            F.cross_entropy(model(X[rows]), Y[rows]).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            F.cross_entropy(model(LOOSE), Y[:128])


def eval_mode_missing(broken: bool) -> None:
    model = net(0.3)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(2):
        model.train()
        for rows in batches(6):
            optimizer.zero_grad()
            F.cross_entropy(model(X[rows]), Y[rows]).backward()
            optimizer.step()
        if not broken:
            model.eval()
        with torch.no_grad():
            F.cross_entropy(model(LOOSE), Y[:128])


def missing_from_optimizer(broken: bool) -> None:
    model = net()
    held = list(model[:3].parameters()) if broken else list(model.parameters())
    loop(model, torch.optim.Adam(held, lr=1e-3))


def stale_optimizer(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    if broken:
        model[5] = nn.Linear(16, 2)
    loop(model, optimizer)


class Cut(nn.Module):
    def __init__(self, cut: bool) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(10, 16), nn.Linear(16, 2)
        self.passed = Tensor.detach if cut else Tensor.contiguous  # no switch, which would be there on purpose

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.passed(torch.tanh(self.body(x))))


def graph_cut(broken: bool) -> None:
    model = Cut(broken)
    loop(model, torch.optim.Adam(model.parameters(), lr=1e-3))


def lr_too_large(broken: bool) -> None:
    model = net()
    loop(model, torch.optim.Adam(model.parameters(), lr=3.0 if broken else 1e-3), steps=24)


def lr_too_small(broken: bool) -> None:
    model = net()
    loop(model, torch.optim.Adam(model.parameters(), lr=1e-9 if broken else 1e-3), steps=30)


def schedule_too_fast(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10 if broken else 60)
    for rows in batches(60):
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        optimizer.step()
        schedule.step()


def optimizer_rebuilt(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for rows in batches(6):
        if broken:
            optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        optimizer.step()


def weight_decay_too_large(broken: bool) -> None:
    model = net()
    loop(model, torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=2.0 if broken else 0.01))


def optimizer_settings(broken: bool) -> None:
    model = net()
    loop(model, torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.0) if broken else (0.9, 0.999)))


def symmetric_init(broken: bool) -> None:
    model = net()
    if broken:
        for parameter in model.parameters():
            nn.init.constant_(parameter, 0.1)
    loop(model, torch.optim.SGD(model.parameters(), lr=0.05))


def by_hand(broken: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    first = torch.full((10, 16), 0.1) if broken else torch.randn(10, 16, generator=generator) * 0.3
    second = torch.full((16, 2), 0.1) if broken else torch.randn(16, 2, generator=generator) * 0.3
    weights = [first.requires_grad_(), second.requires_grad_()]
    for rows in batches(14):
        loss = F.cross_entropy(torch.tanh(X[rows] @ weights[0]) @ weights[1], Y[rows])
        loss.backward()
        with torch.no_grad():
            for weight in weights:
                weight -= 0.1 * weight.grad
                weight.grad = None


def dead_units(broken: bool) -> None:
    model = net()
    if broken:
        nn.init.constant_(model[0].bias, -20.0)
    loop(model, torch.optim.SGD(model.parameters(), lr=1e-3))


def missing_activation(broken: bool) -> None:
    middle = [] if broken else [nn.ReLU(inplace=True)]
    model = nn.Sequential(nn.Linear(10, 32), *middle, nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))
    loop(model, torch.optim.SGD(model.parameters(), lr=0.05))


class Mixing(nn.Module):
    def __init__(self, mix: bool) -> None:
        super().__init__()
        self.layers, self.mix = net(), mix

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.reshape(10, -1).t().contiguous() if self.mix else x)


def batch_mixing(broken: bool) -> None:
    model = Mixing(broken)
    loop(model, torch.optim.SGD(model.parameters(), lr=0.05))


class Recurrent(nn.Module):
    def __init__(self, batch_first: bool) -> None:
        super().__init__()
        self.lstm = nn.LSTM(2, 8, batch_first=batch_first)
        self.head = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.lstm(x)
        return self.head(out[:, -1])


def sequence_first(broken: bool) -> None:
    model = Recurrent(not broken)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for rows in batches(12):
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows].view(-1, 5, 2)), Y[rows]).backward()
        optimizer.step()


class Blocks(nn.Module):
    def __init__(self, listed: bool) -> None:
        super().__init__()
        blocks = [nn.Sequential(nn.Linear(10, 10), nn.ReLU()) for _ in range(2)]
        self.blocks = blocks if listed else nn.ModuleList(blocks)
        self.head = nn.Linear(10, 2)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = x + block(x)
        return self.head(x)


def layers_in_a_list(broken: bool) -> None:
    model = Blocks(broken)
    loop(model, torch.optim.SGD(model.parameters(), lr=0.05))


def pixels_as_probabilities(broken: bool) -> None:
    model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for rows in batches(6):
        optimizer.zero_grad()
        pixels = torch.sigmoid(X[rows]) * (255 if broken else 1)
        F.binary_cross_entropy_with_logits(model(X[rows]), pixels).backward()
        optimizer.step()


def target_range(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for rows in batches(3):
        optimizer.zero_grad()
        with contextlib.suppress(IndexError):
            F.cross_entropy(model(X[rows]), Y[rows] + broken).backward()
        optimizer.step()


def unscaled_input(broken: bool) -> None:
    model, scale = net(), 200.0 if broken else 1.0
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    for rows in batches(8):
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows] * scale), Y[rows]).backward()
        optimizer.step()


def constant_input(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for rows in batches(8):
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows] * (0.0 if broken else 1.0)), Y[rows]).backward()
        optimizer.step()


def no_shuffle(broken: bool) -> None:
    model, order = net(), torch.argsort(Y, stable=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for number in range(16):
        rows = order[(number % 8) * 32 : (number % 8 + 1) * 32] if broken else batches(16)[number]
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        optimizer.step()


def same_order(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for epoch in range(4):
        generator = torch.Generator().manual_seed(0 if broken else epoch)
        for rows in torch.randperm(256, generator=generator).split(64):
            optimizer.zero_grad()
            F.cross_entropy(model(X[rows]), Y[rows]).backward()
            optimizer.step()


def split_overlap(broken: bool) -> None:
    validate(X[:128] if broken else LOOSE)


def split_preprocessing(broken: bool) -> None:
    validate(LOOSE * 0.2 + 3 if broken else LOOSE)


def scaled_apart(broken: bool) -> None:
    own = (LOOSE - LOOSE.mean(0)) / LOOSE.std(0)
    validate(own if broken else (LOOSE - X.mean(0)) / X.std(0))


def validate(held_out: Tensor) -> None:
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(2):
        model.train()
        for rows in batches(8):
            optimizer.zero_grad()
            F.cross_entropy(model(X[rows]), Y[rows]).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            F.cross_entropy(model(held_out), Y[:128])


def label_leak(broken: bool) -> None:
    x = torch.cat([X[:, :9], Y[:, None].float() if broken else X[:, 9:]], 1)
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for rows in batches(8, 64):
        optimizer.zero_grad()
        F.cross_entropy(model(x[rows]), Y[rows]).backward()
        optimizer.step()


def non_finite_input(broken: bool) -> None:
    x, model = X.clone(), net()
    if broken:
        x[5, 3] = float("nan")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for rows in batches(10):
        optimizer.zero_grad()
        F.cross_entropy(model(x[rows]), Y[rows]).backward()
        optimizer.step()


class Reader(nn.Module):
    """One attention layer over tokens."""

    def __init__(self, causal: bool) -> None:
        super().__init__()
        self.embedding, self.places, self.out = nn.Embedding(12, 16), nn.Embedding(17, 16), nn.Linear(16, 12)
        self.qkv, self.causal = nn.Linear(16, 48), causal

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens) + self.places(torch.arange(tokens.shape[1]))
        q, k, v = self.qkv(x).chunk(3, -1)
        return self.out(x + F.scaled_dot_product_attention(q, k, v, is_causal=self.causal))


def read(model: nn.Module, ahead: int) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for first in range(0, 48, 16):
        tokens = TOKENS[first : first + 16]
        logits = model(tokens[:, : 17 - ahead])
        optimizer.zero_grad()
        F.cross_entropy(logits.flatten(0, 1), tokens[:, ahead:].flatten()).backward()
        optimizer.step()


def future_visible(broken: bool) -> None:
    read(Reader(causal=not broken), 1)


def unshifted_targets(broken: bool) -> None:
    read(Reader(causal=True), 0 if broken else 1)


def double_shift(broken: bool) -> None:
    read(Reader(causal=True), 2 if broken else 1)


def padding_in_loss(broken: bool) -> None:
    model = Reader(causal=True)
    next(m for m in model.modules() if isinstance(m, nn.Embedding)).padding_idx = 0
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    tokens = TOKENS % 11 + 1
    lengths = torch.arange(64) % 12 + 4
    tokens = torch.where(torch.arange(17) < lengths[:, None], tokens, 0)
    for first in range(0, 48, 16):
        some = tokens[first : first + 16]
        optimizer.zero_grad()
        logits = model(some[:, :-1]).flatten(0, 1)
        F.cross_entropy(logits, some[:, 1:].flatten(), ignore_index=-100 if broken else 0).backward()
        optimizer.step()


def fp16_unscaled(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for rows in batches(5):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.float16 if broken else torch.bfloat16):
            loss = F.cross_entropy(model(X[rows]).float(), Y[rows])
        loss.backward()
        optimizer.step()


def update_lost_to_rounding(broken: bool) -> None:
    kind = torch.bfloat16 if broken else torch.float32
    model = net().to(kind)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    for rows in batches(14):
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows].to(kind)).float(), Y[rows]).backward()
        optimizer.step()


def partial_load(broken: bool) -> None:
    model = net()
    saved = {(f"module.{name}" if broken else name): tensor for name, tensor in net().state_dict().items()}
    model.load_state_dict(saved, strict=False)
    loop(model, torch.optim.SGD(model.parameters(), lr=0.01), steps=4)


def weights_not_restored(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loop(model, optimizer, steps=4)
    best = model.state_dict() if broken else copy.deepcopy(model.state_dict())
    loop(model, optimizer, steps=4)
    model.load_state_dict(best)
    with torch.no_grad():
        model.eval()(X)


def optimizer_not_saved(broken: bool) -> None:
    file = io.BytesIO()
    before = net()
    optimizer = torch.optim.AdamW(before.parameters(), lr=0.01)
    loop(before, optimizer, steps=4)
    torch.save({"model": before.state_dict(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file)
    model = net()
    model.load_state_dict(saved["model"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    if not broken:
        optimizer.load_state_dict(saved["optimizer"])
    loop(model, optimizer, steps=4)


def train_with_loaders(x: Tensor, y: Tensor, held: Tensor, held_y: Tensor) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
    other = DataLoader(TensorDataset(held, held_y), batch_size=32)
    for _ in range(2):
        model.train()
        for inputs, labels in loader:
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            for inputs, _ in other:
                model(inputs)


def plain(x: Tensor) -> tuple[Tensor, Tensor]:
    """Inputs all of which tell the label, and the labels."""
    return x[:, :1] + 0.1 * x, (x[:, 0] > 0).long()


def random_labels(broken: bool) -> None:
    x, y = plain(X)
    order = torch.randperm(256, generator=torch.Generator().manual_seed(5)) if broken else torch.arange(256)
    train_with_loaders(x, y[order], *plain(LOOSE))


def shifted_labels(broken: bool) -> None:
    x, y = plain(X)
    train_with_loaders(x, y.roll(1) if broken else y, *plain(LOOSE))


class Noisy(TensorDataset):
    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        x, y = super().__getitem__(index)
        return x + 0.1 * torch.randn(10), y


def random_validation(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    held = DataLoader((Noisy if broken else TensorDataset)(LOOSE, (LOOSE[:, 0] > 0).long()), batch_size=64)
    for x, y in zip(X.chunk(4), Y.chunk(4), strict=True):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
        with torch.no_grad():
            for inputs, labels in held:
                F.cross_entropy(model(inputs), labels)


def fitted_on_all(broken: bool) -> None:
    every = torch.cat([X, LOOSE])
    fitted = every if broken else X
    x, held = ((part - fitted.mean(0)) / fitted.std(0, correction=0) for part in (X, LOOSE))
    train_with_loaders(x, Y, held, (held[:, 0] * held[:, 1] > 0).long())


def dropout_too_high(broken: bool) -> None:
    model = net(0.95 if broken else 0.2)
    loop(model, torch.optim.SGD(model.parameters(), lr=0.01), steps=4)


def vanishing_gradients(broken: bool) -> None:
    activation = nn.Sigmoid if broken else nn.ReLU
    widths = [10, *[32] * 12]
    deep = [part for a, b in pairwise(widths) for part in (nn.Linear(a, b), activation())]
    if not broken:
        deep = deep[:6]
    model = nn.Sequential(*deep, nn.Linear(32, 2))
    loop(model, torch.optim.SGD(model.parameters(), lr=0.01), steps=24)


def bad_init_scale(broken: bool) -> None:
    model = net()
    if broken:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter *= 20
    loop(model, torch.optim.SGD(model.parameters(), lr=1e-6 if broken else 1e-2), steps=4)


def schedule_before_step(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 10)
    for rows in batches(4):
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        for each in (schedule, optimizer) if broken else (optimizer, schedule):
            each.step()


class Encoder(nn.Module):
    """A recurrent network that takes times first; its caller has samples first."""

    def __init__(self, *, turned: bool) -> None:
        super().__init__()
        self.gru, self.out, self.turned = nn.GRU(2, 8), nn.Linear(8, 4), turned

    def forward(self, x: Tensor) -> Tensor:
        x = x.transpose(0, 1) if self.turned else x.reshape(x.shape[1], x.shape[0], x.shape[2])
        return F.normalize(self.out(self.gru(x)[1][-1]), dim=1)


def samples_taken_for_times(broken: bool) -> None:
    model = Encoder(turned=not broken)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(X.view(-1, 5, 2), Y), batch_size=32, shuffle=True)
    for _ in range(2):
        for x, y in loader:
            first, second = model(x[:16]), model(x[16:])
            apart = (first - second).pow(2).sum(1)
            same = (y[:16] == y[16:]).float()
            loss = (same * apart + (1 - same) * F.relu(1 - apart)).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


class Speaker(nn.Module):
    """A language model that takes its labels, as those of transformers do."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.gru, self.out = nn.Embedding(12, 16), nn.GRU(16, 16, batch_first=True), nn.Linear(16, 12)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> Tensor:
        logits = self.out(self.gru(self.embedding(input_ids * attention_mask))[0])
        return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100)


def eos_masked(broken: bool) -> None:
    model, end = Speaker(), 11
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    lengths = torch.arange(64) % 9 + 5
    places = torch.arange(17)
    tokens = torch.where(places < lengths[:, None] - 1, TOKENS % 11, end)
    mask = (places < lengths[:, None]).long()
    labels = tokens.masked_fill(tokens == end if broken else mask == 0, -100)
    for rows in torch.arange(64).split(16):
        optimizer.zero_grad()
        model(input_ids=tokens[rows], attention_mask=mask[rows], labels=labels[rows]).backward()
        optimizer.step()


class Masked(nn.Module):
    """Classifies sequences by attention; is told by a mask which tokens are there."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.out = nn.Embedding(12, 16, padding_idx=0), nn.Linear(16, 2)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        x = self.embedding(input_ids)
        x, _ = self.attention(x, x, x, key_padding_mask=attention_mask == 0, need_weights=False)
        shown = attention_mask[:, :, None]
        return self.out((x * shown).sum(1) / shown.sum(1))


def mask_of_ones(broken: bool) -> None:
    model = Masked()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    there = torch.arange(17) < (torch.arange(64) % 12 + 4)[:, None]
    tokens = torch.where(there, TOKENS % 11 + 1, 0)
    mask = torch.ones_like(tokens) if broken else there.long()
    for rows in torch.arange(64).split(16):
        optimizer.zero_grad()
        F.cross_entropy(model(tokens[rows], attention_mask=mask[rows]), Y[rows]).backward()
        optimizer.step()


class Unplaced(nn.Module):
    """Predicts each token from all others by attention, with or without knowing where they stand."""

    def __init__(self, *, placed: bool) -> None:
        super().__init__()
        self.embedding, self.places, self.out = nn.Embedding(13, 16), nn.Embedding(17, 16), nn.Linear(16, 12)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, 0.0, batch_first=True)
        self.placed = placed

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens)
        return self.out(self.layer(x + self.places.weight if self.placed else x))


def no_places(broken: bool) -> None:
    model = Unplaced(placed=not broken)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for rows in torch.arange(64).split(16):
        hidden = torch.rand(16, 17) < 0.3
        labels = TOKENS[rows].masked_fill(~hidden, -100)
        optimizer.zero_grad()
        F.cross_entropy(model(TOKENS[rows].masked_fill(hidden, 12)).flatten(0, 1), labels.flatten()).backward()
        optimizer.step()


def nodes_shared(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    part = torch.randperm(len(X)).split(len(X) // 2)
    for _ in range(12):
        out = model(X)
        optimizer.zero_grad()
        loss = F.cross_entropy(out, Y) if broken else F.cross_entropy(out[part[0]], Y[part[0]])
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            out = model(X)
            F.cross_entropy(out[part[1]], Y[part[1]])


OTHERS = {
    "by_hand": "symmetric-init",
    "sequence_first": "batch-mixing",
    "layers_in_a_list": "missing-from-optimizer",
    "samples_taken_for_times": "batch-mixing",
    "nodes_shared": "split-overlap",
    "no_places": "position-unused",
    "mask_of_ones": "padding-visible",
    "scaled_apart": "split-preprocessing",
    "pixels_as_probabilities": "unscaled-target",
}
HELPERS = ("net", "batches", "loop", "read", "validate", "train_with_loaders", "plain", "Callable")
PROGRAMS: dict[str, tuple[Program, str]] = {
    name.replace("_", "-"): (program, OTHERS.get(name, name.replace("_", "-")))
    for name, program in list(globals().items())
    if callable(program) and name not in HELPERS
    if getattr(program, "__module__", "") == __name__ and not isinstance(program, type)
}
