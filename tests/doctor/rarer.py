"""More tiny programs with one mistake each, and their healthy twins: mistakes made in a less usual way."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Normal, kl_divergence
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split

from tests.doctor.programs import LOOSE, TOKENS, X, Y, batches, net

WAVES = torch.sin(torch.arange(40) * torch.linspace(0.2, 0.9, 64)[:, None]) + 0.01 * X[:64].repeat(1, 4)


class Dropped(nn.Module):
    """Drops by a function, in a layer or in attention, which is told of the mode or is not."""

    def __init__(self, *, told: bool, attends: bool = False) -> None:
        super().__init__()
        self.layer, self.out = nn.Linear(10, 32), nn.Linear(32, 2)
        self.told, self.attends = told, attends

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.layer(x))
        if self.attends:
            parts = hidden.unflatten(1, (4, 8))
            rate = 0.3 if self.training or not self.told else 0.0
            return self.out(F.scaled_dot_product_attention(parts, parts, parts, dropout_p=rate).flatten(1))
        return self.out(F.dropout(hidden, 0.3, training=self.training) if self.told else F.dropout(hidden, 0.3))


def validated(model: nn.Module) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(2):
        model.train()
        for rows in batches(6):
            optimizer.zero_grad()
            F.cross_entropy(model(X[rows % 128]), Y[rows % 128]).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            for rows in torch.arange(128, 256).split(32):
                F.cross_entropy(model(X[rows]), Y[rows])


def dropped_by_a_function(broken: bool) -> None:
    validated(Dropped(told=not broken))


def dropped_in_attention(broken: bool) -> None:
    validated(Dropped(told=not broken, attends=True))


class Shaken(Dataset[tuple[Tensor, Tensor]]):
    """Samples, with noise where that is wanted."""

    def __init__(self, *, noise: bool) -> None:
        self.noise = noise

    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return X[index] + 0.5 * torch.randn(10) * self.noise, Y[index]


def augmented_validation(broken: bool) -> None:
    train, held_out = random_split(Shaken(noise=True), [192, 64])
    if not broken:
        held_out.dataset = Shaken(noise=False)
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loaders = DataLoader(train, 32, shuffle=True), DataLoader(held_out, 32)
    for _ in range(5):
        model.train()
        for x, y in loaders[0]:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            sum(int((model(x).argmax(1) == y).sum()) for x, y in loaders[1])


class Transfer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features, self.head = nn.Sequential(nn.Linear(10, 32), nn.ReLU()), nn.Linear(32, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def head_replaced_late(broken: bool) -> None:
    model = Transfer()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for stage in range(2):
        for x, y in (batch for _ in range(4) for batch in DataLoader(TensorDataset(X, Y), 32, shuffle=True)):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        if stage == 0:
            model.head = nn.Linear(32, 2)
            model.features.requires_grad_(False)
            if not broken:
                optimizer = torch.optim.Adam(model.head.parameters(), lr=1e-3)


class Factors(nn.Module):
    """A layer and a low-rank change of it."""

    def __init__(self, *, one_at_random: bool) -> None:
        super().__init__()
        self.base, self.out = nn.Linear(10, 32).requires_grad_(False), nn.Linear(32, 2)
        self.down, self.up = nn.Parameter(torch.zeros(4, 10)), nn.Parameter(torch.zeros(32, 4))
        if one_at_random:
            nn.init.kaiming_uniform_(self.down)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(F.relu(self.base(x) + x @ self.down.T @ self.up.T))


def two_factors_at_zero(broken: bool) -> None:
    model = Factors(one_at_random=not broken)
    optimizer = torch.optim.Adam([each for each in model.parameters() if each.requires_grad], lr=1e-2)
    for rows in batches(14):
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        optimizer.step()


def schedule_left_in_the_file(broken: bool) -> None:
    file, model = io.BytesIO(), net()
    for part in range(3):
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        schedule = LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 12))
        if part:
            file.seek(0)
            content = torch.load(file)
            model.load_state_dict(content["model"])
            optimizer.load_state_dict(content["optimizer"])
            if not broken:
                schedule.load_state_dict(content["schedule"])
        for rows in batches(6):
            optimizer.zero_grad()
            F.cross_entropy(model(X[rows]), Y[rows]).backward()
            optimizer.step()
            schedule.step()
        file = io.BytesIO()
        parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
        torch.save({name: part.state_dict() for name, part in parts.items()}, file)


class Translator(nn.Module):
    """Reads tokens and writes tokens; positions are added along the axis of time, or along that of samples."""

    def __init__(self, *, placed: bool) -> None:
        super().__init__()
        self.embedding, self.places, self.out = nn.Embedding(13, 16), torch.randn(64, 16), nn.Linear(16, 12)
        self.body = nn.Transformer(16, 2, 1, 1, 32, 0.0, batch_first=True)
        self.placed = placed

    def place(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens)
        return x + (self.places[: x.shape[1]] if self.placed else self.places[: len(x), None])

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
        return self.out(self.body(self.place(source), self.place(target), tgt_mask=mask, tgt_is_causal=True))


def places_of_samples(broken: bool) -> None:
    model = Translator(placed=not broken)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for rows in torch.arange(64).split(16):
        source, target = TOKENS[rows], TOKENS[rows].flip(1)
        begun = torch.cat([torch.full((len(rows), 1), 12), target[:, :-1]], 1)
        optimizer.zero_grad()
        F.cross_entropy(model(source, begun).flatten(0, 1), target.flatten()).backward()
        optimizer.step()


def decay_given_for_eps(broken: bool) -> None:
    model = net()
    told = (model.parameters(), 1e-3, (0.9, 0.999))
    optimizer = torch.optim.AdamW(*told, 1e-2) if broken else torch.optim.AdamW(*told, weight_decay=1e-2)
    for rows in batches(26):
        optimizer.zero_grad()
        F.cross_entropy(model(0.1 * X[rows]), Y[rows]).backward()
        optimizer.step()


def weights_the_wrong_way_round(broken: bool) -> None:
    rare = (torch.arange(len(X)) % 9 == 0).long()
    counts, model = torch.bincount(rare).float(), net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    weight = counts / counts.sum() if broken else counts.sum() / counts
    for rows in batches(12):
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), rare[rows], weight=weight).backward()
        optimizer.step()


def positives_weigh_less(broken: bool) -> None:
    rare = (torch.arange(len(X)) % 9 == 0).float()
    ratio, model = rare.mean() / (1 - rare.mean()), nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1))
    criterion = nn.BCEWithLogitsLoss(pos_weight=ratio if broken else 1 / ratio)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for rows in batches(12):
        optimizer.zero_grad()
        criterion(model(X[rows])[:, 0], rare[rows]).backward()
        optimizer.step()


def padded_on_both_sides(broken: bool) -> None:
    first, last = nn.Conv1d(1, 16, 3), nn.Conv1d(16, 1, 3)
    sides = (1, 1) if broken else (2, 0)
    model = nn.Sequential(nn.ConstantPad1d(sides, 0.0), first, nn.ReLU(), nn.ConstantPad1d(sides, 0.0), last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for rows in torch.arange(64).repeat(3).split(16):
        optimizer.zero_grad()
        F.mse_loss(model(WAVES[rows, None, :-1])[:, 0, 4:], WAVES[rows, 5:]).backward()
        optimizer.step()


def shuffled_apart(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    pairs = DataLoader(TensorDataset(X, Y), 32, shuffle=True)
    inputs, labels = DataLoader(TensorDataset(X, X), 32, shuffle=True), DataLoader(Y, 32, shuffle=True)
    for x, y in ((x, y) for (x, _), y in zip(inputs, labels, strict=True)) if broken else pairs:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()


class ActorCritic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.actor, self.critic = nn.Linear(10, 16), nn.Linear(16, 3), nn.Linear(16, 1)

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        hidden = torch.tanh(self.body(seen))
        return self.actor(hidden), self.critic(hidden)[..., 0]


def likelihood_through_numpy(broken: bool) -> None:
    model = ActorCritic()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for update in range(70):
        told, values = [], []
        for seen in X[8 * (update % 30) :][:8]:
            logits, value = model(seen)
            chances = Categorical(logits=logits)
            told.append(chances.log_prob(chances.sample()))
            values.append(value)
        log_prob = torch.as_tensor(np.array([float(each.detach()) for each in told])) if broken else torch.stack(told)
        value, gain = torch.stack(values), X[8 * (update % 30) :][:8, 0]
        optimizer.zero_grad()
        ((gain - value).square().mean() - (log_prob * (gain - value).detach()).mean()).backward()
        optimizer.step()


class LastState(nn.Module):
    """Takes the state behind the last token, or behind the last place of a padded batch."""

    def __init__(self, *, told: bool) -> None:
        super().__init__()
        self.embedding, self.out = nn.Embedding(13, 8, padding_idx=0), nn.Linear(16, 1)
        self.lstm, self.told = nn.LSTM(8, 16, batch_first=True), told

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        states, _ = self.lstm(self.embedding(tokens))
        return self.out(states[torch.arange(len(tokens)), lengths - 1] if self.told else states[:, -1])[:, 0]


def state_behind_the_padding(broken: bool) -> None:
    lengths = torch.arange(64) % 7 + 3
    tokens = F.pad((TOKENS + 1).masked_fill(torch.arange(17) >= lengths[:, None], 0), (0, 60))
    model = LastState(told=not broken)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for rows in torch.arange(64).repeat(2).split(16):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(model(tokens[rows], lengths[rows]), Y[rows].float()).backward()
        optimizer.step()


def probabilities_for_logits(broken: bool) -> None:
    policy = nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 3), nn.Softmax(dim=-1))
    optimizer = torch.optim.Adam(policy.parameters(), lr=1e-3)
    for rows in batches(6):
        chances = Categorical(logits=policy(X[rows])) if broken else Categorical(policy(X[rows]))
        optimizer.zero_grad()
        (-chances.log_prob(chances.sample()) * X[rows, 0]).mean().backward()
        optimizer.step()


def raw_columns(broken: bool) -> None:
    rows, model = X * torch.logspace(0, 4, 10) + 900, net()
    given = rows if broken else (rows - rows.mean(0)) / rows.std(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for chosen in batches(24):
        optimizer.zero_grad()
        F.cross_entropy(model(given[chosen]), Y[chosen]).backward()
        optimizer.step()


def thawed_in_name(broken: bool) -> None:
    model = Transfer().requires_grad_(False)
    model.head = nn.Linear(32, 2)
    if broken:
        model.features.requires_grad = True
    else:
        model.features.requires_grad_(True)
    optimizer = torch.optim.Adam([each for each in model.parameters() if each.requires_grad], lr=1e-3)
    for rows in batches(8):
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        optimizer.step()


class Causal(nn.Module):
    """Predicts the next token from those so far."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.states, self.out = (
            nn.Embedding(13, 16),
            nn.GRU(16, 16, batch_first=True),
            nn.Linear(16, 13),
        )

    def forward(self, tokens: Tensor, labels: Tensor) -> Tensor:
        logits = self.out(self.states(self.embedding(tokens))[0])
        return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())


def prompts_are_trained(broken: bool) -> None:
    model, prompt = Causal(), torch.arange(17) < 6 + torch.arange(64)[:, None] % 3
    labels = TOKENS.masked_fill(~prompt if broken else prompt, -100)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for rows in torch.arange(64).repeat(2).split(16):
        optimizer.zero_grad()
        model(TOKENS[rows], labels[rows]).backward()
        optimizer.step()


def generator_trains_its_critic(broken: bool) -> None:
    made = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 10))
    critic = nn.Sequential(nn.Linear(10, 16), nn.LeakyReLU(), nn.Linear(16, 1))
    second = torch.optim.Adam(critic.parameters(), lr=1e-3)
    first = torch.optim.Adam([*made.parameters(), *(critic.parameters() if broken else ())], lr=1e-3)
    for step, rows in enumerate(batches(12)):
        noise, ones = LOOSE[step : step + 32, :4], torch.ones(32, 1)
        second.zero_grad()
        false, true = critic(made(noise).detach()), critic(X[rows] + 3)
        loss = F.binary_cross_entropy_with_logits
        (loss(true, ones) + loss(false, 0 * ones)).backward()
        second.step()
        first.zero_grad()
        loss(critic(made(noise)), ones).backward()
        first.step()


def seeded_in_each_epoch(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(X, Y), 32, shuffle=True)
    for _ in range(4):
        if broken:
            torch.manual_seed(7)
        for x, y in loader:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()


def likelihood_of_one(broken: bool) -> None:
    model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 2), (nn.Softmax if broken else nn.LogSoftmax)(1))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-2)
    for row in range(24):
        optimizer.zero_grad()
        F.nll_loss(model(X[row : row + 1]), Y[row : row + 1]).backward()
        optimizer.step()


def logarithm_of_nothing(broken: bool) -> None:
    model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    for number, rows in enumerate(batches(16)):
        sharp = 400 if broken and number > 2 else 1
        optimizer.zero_grad()
        logarithms = torch.log((sharp * model(X[rows])).softmax(1))
        (F.nll_loss if broken or number % 2 else F.cross_entropy)(logarithms, Y[rows]).backward()
        optimizer.step()


def never_warm(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    schedule = LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / (5000 if broken else 20)))
    for rows in batches(80):
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        optimizer.step()
        schedule.step()


class Encoded(nn.Module):
    """A variational autoencoder whose code is drawn with a graph, or without."""

    def __init__(self, *, reparameterized: bool) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Linear(10, 8), nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 10))
        self.reparameterized = reparameterized

    def forward(self, x: Tensor) -> tuple[Tensor, Normal]:
        mean, deviation = self.encoder(x).chunk(2, 1)
        code = Normal(mean, deviation.exp())
        return self.decoder(code.rsample() if self.reparameterized else code.sample()), code


def drawn_without_a_graph(broken: bool) -> None:
    model, usual = Encoded(reparameterized=not broken), Normal(torch.zeros(4), torch.ones(4))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for rows in batches(8):
        out, code = model(X[rows])
        optimizer.zero_grad()
        (F.mse_loss(out, X[rows]) + 0.1 * kl_divergence(code, usual).mean()).backward()
        optimizer.step()


def each_ratio_with_each_gain(broken: bool) -> None:
    model, gains = ActorCritic(), X[:, :1] if broken else X[:, 0]
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for rows in batches(8):
        logits, value = model(X[rows])
        chosen = F.log_softmax(logits, 1)[torch.arange(32), rows % 3]
        ratio = (chosen - chosen.detach()).exp()
        optimizer.zero_grad()
        (F.mse_loss(value, X[rows].square().sum(1)) - (ratio * gains[rows]).mean()).backward()
        optimizer.step()


def cleared_between_tasks(broken: bool) -> None:
    body, heads = nn.Linear(10, 16), nn.ModuleList([nn.Linear(16, 2), nn.Linear(16, 2)])

    class Tasks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.heads = body, heads

        def forward(self, x: Tensor, task: int) -> Tensor:
            return self.heads[task](torch.relu(self.body(x)))

    model = Tasks()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for rows in batches(8):
        optimizer.zero_grad()
        for task in range(2):
            if broken:
                optimizer.zero_grad()
            F.cross_entropy(model(X[rows], task), Y[rows] if task else (X[rows, 2] > 0).long()).backward()
        optimizer.step()


class Normed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, 16), nn.BatchNorm1d(16), nn.ReLU())
        self.head = nn.Sequential(nn.Dropout(0.1), nn.Linear(16, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


def head_alone_in_training_mode(broken: bool) -> None:
    model = Normed().eval()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for rows in batches(8):
        (model.head if broken else model).train()
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        optimizer.step()


def unfrozen_and_not_held(broken: bool) -> None:
    model = Transfer()
    first = torch.optim.Adam(model.parameters(), lr=1e-3)
    for rows in batches(10):
        first.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        first.step()
    model.features.requires_grad_(False)
    second = torch.optim.Adam(model.head.parameters() if broken else model.parameters(), lr=1e-3)
    for number, rows in enumerate(batches(30)):
        if number == 9:
            model.features.requires_grad_(True)
        second.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        second.step()


class Shifting(nn.Module):
    """As language models of libraries do, gives the last place a label that does not count."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.states = nn.Embedding(13, 16), nn.GRU(16, 16, batch_first=True)
        self.out = nn.Linear(16, 13)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> Tensor:
        logits = self.out(self.states(self.embedding(input_ids))[0])
        return F.cross_entropy(logits.flatten(0, 1), F.pad(labels, (0, 1), value=-100)[:, 1:].flatten())


def padding_is_a_label(broken: bool) -> None:
    model = Shifting()
    there = torch.arange(17) < (torch.arange(64) % 12 + 4)[:, None]
    tokens = TOKENS.masked_fill(~there, 12)
    labels = tokens if broken else tokens.masked_fill(~there, -100)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for rows in torch.arange(64).repeat(2).split(16):
        optimizer.zero_grad()
        model(tokens[rows], there[rows].long(), labels[rows]).backward()
        optimizer.step()


CAUSES: dict[Callable[[bool], None], str] = {
    dropped_by_a_function: "random-evaluation",
    dropped_in_attention: "random-evaluation",
    augmented_validation: "random-validation",
    head_replaced_late: "stale-optimizer",
    two_factors_at_zero: "zeroed-gradient",
    schedule_left_in_the_file: "schedule-not-saved",
    places_of_samples: "position-unused",
    decay_given_for_eps: "optimizer-settings",
    weights_the_wrong_way_round: "class-imbalance",
    positives_weigh_less: "class-imbalance",
    padded_on_both_sides: "future-visible",
    shuffled_apart: "random-labels",
    likelihood_through_numpy: "graph-cut",
    state_behind_the_padding: "padding-visible",
    probabilities_for_logits: "double-softmax",
    raw_columns: "unscaled-input",
    thawed_in_name: "frozen",
    prompts_are_trained: "prompt-trained",
    generator_trains_its_critic: "duplicate-parameter",
    seeded_in_each_epoch: "same-order",
    likelihood_of_one: "wrong-loss",
    logarithm_of_nothing: "log-of-zero",
    never_warm: "lr-too-small",
    drawn_without_a_graph: "graph-cut",
    each_ratio_with_each_gain: "target-broadcast",
    cleared_between_tasks: "zero-before-step",
    head_alone_in_training_mode: "mixed-mode",
    unfrozen_and_not_held: "missing-from-optimizer",
    padding_is_a_label: "padding-in-loss",
}
RARER = {program.__name__.replace("_", "-"): (program, cause) for program, cause in CAUSES.items()}
