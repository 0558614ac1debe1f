"""Multi-task learning: one trunk, a head for the digit and a head for 'is there a closed loop in it'."""
import argparse
import logging
from typing import Tuple

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
log = logging.getLogger("multitask")
LOOPED = torch.tensor([0, 6, 8, 9])


class MultiTaskNet(nn.Module):
    def __init__(self, hidden: int = 96) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.digit_head = nn.Linear(hidden, 10)
        self.loop_head = nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        features = self.trunk(x)
        return self.digit_head(features), self.loop_head(features).squeeze(1)


def load(generator: torch.Generator):
    raw = load_digits()
    x = torch.tensor(raw.data, dtype=torch.float32)
    digit = torch.tensor(raw.target)
    loop = torch.isin(digit, LOOPED).float()
    order = torch.randperm(len(x), generator=generator)
    train, valid = order[:1400], order[1400:]
    mean, std = x[train].mean(), x[train].std()
    x = (x - mean) / std
    return (x[train], digit[train], loop[train]), (x[valid], digit[valid], loop[valid])


def evaluate(model: nn.Module, data) -> Tuple[float, float]:
    x, digit, loop = data
    model.eval()
    with torch.no_grad():
        digit_logits, loop_logits = model(x)
    digit_acc = (digit_logits.argmax(1) == digit).float().mean().item()
    loop_acc = ((loop_logits > 0).float() == loop).float().mean().item()
    return digit_acc, loop_acc


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=8)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed)

    train, valid = load(generator)
    model = MultiTaskNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    digit_criterion = nn.CrossEntropyLoss()
    loop_criterion = nn.BCEWithLogitsLoss()

    for epoch in range(args.epochs):
        model.train()
        sums = torch.zeros(2)
        for idx in torch.randperm(len(train[0]), generator=generator).split(40):
            x, digit, loop = (t[idx] for t in train)
            digit_logits, loop_logits = model(x)
            digit_loss = digit_criterion(digit_logits, digit)
            loop_loss = loop_criterion(loop_logits, loop)

            # one backward pass per task
            optimizer.zero_grad()
            digit_loss.backward(retain_graph=True)
            loop_loss.backward()
            optimizer.step()
            sums += torch.stack([digit_loss.detach(), loop_loss.detach()]) * len(idx)
        digit_acc, loop_acc = evaluate(model, valid)
        losses = sums / len(train[0])
        log.info("epoch %d  digit loss %.3f acc %.3f  |  loop loss %.3f acc %.3f",
                 epoch, losses[0], digit_acc, losses[1], loop_acc)


if __name__ == "__main__":
    main()
